"""What runs in the background: the pipeline that moves data through the stages, and the job table."""
