from benchmarks.serving.commands import app

app()
