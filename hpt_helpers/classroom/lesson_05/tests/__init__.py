"""Tests of what only lesson 5 needs, and answers to its exercises."""
