"""What runs in the background: the pipeline that moves data on, and the job table."""
