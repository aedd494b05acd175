"""A small collection: short passages about five kinds of animals, and its index."""

DIMENSIONS = 16
SUBJECTS = ("cat", "dog", "fish", "bird", "horse")


def index_body(pipeline: str, dims: int = DIMENSIONS) -> dict[str, object]:
    return {
        "settings": {
            "number_of_shards": 2,
            "number_of_replicas": 0,
            "default_pipeline": pipeline,
        },
        "mappings": {
            "properties": {
                "text": {"type": "text"},
                "tag": {"type": "keyword"},
                "vector": {"type": "dense_vector", "dims": dims, "similarity": "cosine"},
            }
        },
    }


def animal_documents(count: int = 200) -> list[tuple[str, dict[str, object]]]:
    documents: list[tuple[str, dict[str, object]]] = []
    for number in range(count):
        subject = SUBJECTS[number % len(SUBJECTS)]
        food = "milk" if number % 2 else "meat"
        text = f"the {subject} number {number} likes {food} and sleeps {number % 7} hours"
        documents.append((str(number), {"text": text, "tag": subject}))
    return documents
