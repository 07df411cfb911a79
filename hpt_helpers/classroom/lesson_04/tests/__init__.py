"""Tests of what only lesson 4 needs, and answers to its exercises."""
