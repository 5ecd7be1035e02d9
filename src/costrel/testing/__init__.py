"""Clients and builders with which an application is tested."""
