"""What Stash asks for: packages to install, who is in a scene, and what to write there.

`packages` makes the plugin and the scraper. `routes` lists the URLs that these ask, and what
/openapi.json says of them. `main` uses both.
"""
