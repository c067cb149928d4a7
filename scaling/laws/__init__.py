"""Forms of scaling laws, one file each."""
