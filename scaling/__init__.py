"""Scaling: rules that make a blueprint larger or smaller, and what they achieved."""
