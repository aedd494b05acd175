# The official Elasticsearch image with the plugin installed. From the repository's root, after `make release`:
#   docker build -f docker/elasticsearch.Dockerfile --build-arg ES=9.5.3 -t elasticsearch-bicross:9.5.3 .
ARG ES=9.5.3
FROM elasticsearch:${ES}
ARG ES
COPY dist/bicross-*-es${ES}.zip /tmp/bicross.zip
RUN bin/elasticsearch-plugin install --batch file:///tmp/bicross.zip
