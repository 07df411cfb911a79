"""Tests of what only lesson 3 needs, and answers to its exercises."""
