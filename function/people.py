"""Faces become people: those of one person grouped, and the mean of the good ones for all."""

from dataclasses import dataclass

from db.records import Vector
from function.faces import Face


@dataclass(frozen=True, eq=False)
class Person:
    """Someone in a video: their faces in order of time, and what stands for all of them.

    `template` is the quality-weighted mean encoding of the good faces, float32 (128,); `looks`
    counts how many of them tell something new (pose, shot, light): neighbouring frames do not.
    """

    faces: tuple[Face, ...]
    template: Vector
    looks: float
