"""The plugin: what it adds to Stash's page, and the script that forwards what the page asks for.

Stash joins the JavaScript into one script. The Python script is the only way to our server.
"""
