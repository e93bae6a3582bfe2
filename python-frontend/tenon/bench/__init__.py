"""tenon-bench: Tenon and its peers on the same models, the same weights and the same inputs.

Each contestant lives in a process of its own. They take turns: while one runs its burst of calls, all others are
stopped, as the spinning threads of one would slow the others by a factor.
"""
