"""The real template on this machine: the AWS emulator, `sam build`, `sam deploy`, and a RunPod endpoint.

processes  children that end with their parent, however it ends
guardian   the little program that sees to it
needs      what has to be installed, and what to do where it is not
emulator   MiniStack in a clean environment
faults     what throttles the functions' AWS calls, where that is wanted
simulator  our RunPod simulator as a process of its own
sam        `sam build` and `sam deploy`, pointed at the emulator
stack      all of it together
"""
