"""Scaling rules, one file each."""
