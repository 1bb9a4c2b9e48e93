"""Design decisions, each undone in a copy of the code: the tests named beside it must notice.

mutant     finding a place by its syntax, and changing it
catalogue  the decisions, each with its reason
__main__   `make mutants`: the copies, the tests run there, and what that says
"""
