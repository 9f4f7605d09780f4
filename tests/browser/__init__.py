"""Tests that look at pages as people do, in a real browser."""
