"""Scans on several machines: Dask's scheduler and workers carry the work, the ledger stays here.

The verb `scan --dask` uses it. `work` runs in the workers, everything else in the shell.
"""
