"""Published networks, one file a family: its sizes as its paper or official repository gives them."""
