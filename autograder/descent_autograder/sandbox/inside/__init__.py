"""What stands inside the wall, beside the student's code.

These modules are all that the student's process sees of the grader: the codec and channel that
both sides speak, the shell that runs cells, and the steps by which a process confines itself. They
hold no test, no reference and no secret, and import nothing of the rest of the grader, so that the
folder can be shown to the student's process by itself.
"""
