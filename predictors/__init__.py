"""Predictors: targets, timing on a device, latency and accuracy models."""
