"""Tests of what only lesson 2 needs, and answers to its exercises."""
