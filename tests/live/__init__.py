"""Tests against parts that a machine may lack, such as a GPU. Each skips, and says so, without."""
