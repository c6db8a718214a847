"""What tests share: synthetic galleries, footage, servers, a browser, a Stash."""
