"""Corrente."""
