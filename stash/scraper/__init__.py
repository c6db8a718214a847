"""The scraper: one script that answers Stash's Scrape and Identify."""
