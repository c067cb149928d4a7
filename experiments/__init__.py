"""What people run: command line, studies, reports, benchmarks."""
