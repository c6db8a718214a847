"""YuNet finds faces of any size and at any angle: first a quick search, then a closer check.

It offers `YunetDetector`. Only engines use it.
"""
