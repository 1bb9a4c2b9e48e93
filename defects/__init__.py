"""Defects planted on purpose, to prove that the tests would notice them. Never deployed.

plant      what a planted defect is, and how it is put into a tree
plants     the defects, by the part of the system that they are in
trial      a copy of the tree, the test suite run in it, and what that says
page       docs/planted-defects.md
"""
