"""Sources in files: each module reads performers and their photos from one kind."""
