"""YuNet: finds faces of every size and at every angle, first in quick looks, then in close ones.

What leaves is `YunetDetector`; the engines enter.
"""
