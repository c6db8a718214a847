"""Parts that tests share: made-up galleries, footage, servers, a browser, a Stash."""
