#!/usr/bin/env bash
# build.sh GOAL VERSION [Maven options]: pick the JDK, the bytecode level and the compat folders of one Elasticsearch version.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
goal=$1 version=$2
shift 2

fail() {
  echo "error: $*" >&2
  exit 5
}

# compat folders, oldest first: a version takes the newest one that is not above it.
case $version in
  8.19.*) release=17 line=8.19 minor=8.19 ;;
  9.[2-4].*) release=21 line=9 minor=9.2 ;;
  [0-8].* | 9.[01].*) fail "the plugin's code is for Elasticsearch 8.19 and 9.2 or newer, not $version" ;;
  9.* | [1-9][0-9].*) release=21 line=9 minor=9.5 ;;
  *) fail "ES=$version is not a version of Elasticsearch; give one such as $(sed -n '1s/ .*//p' "$here/versions")" ;;
esac

# major JDK_HOME: its feature release, or 0 where there is no compiler.
major() {
  if [ ! -x "$1/bin/javac" ]; then
    echo 0
    return
  fi
  "$1/bin/javac" -version 2>&1 | sed -E 's/^javac (1\.)?([0-9]+).*/\2/'
}

# JAVA_HOME first; else the oldest JDK that is new enough, since it is the nearest to what the node runs on.
find_jdk() {
  local home best= best_major=1000 found
  for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    found=$(major "$home")
    if [ "$found" -ge "$release" ] && [ "$home" = "${JAVA_HOME:-}" ]; then
      echo "$home"
      return
    fi
    if [ "$found" -ge "$release" ] && [ "$found" -lt "$best_major" ]; then best=$home best_major=$found; fi
  done
  echo "$best"
}

jdk=$(find_jdk)
if [ -z "$jdk" ]; then
  fail "Elasticsearch $version needs a JDK $release or newer to compile against, and none was found in JAVA_HOME or" \
    "/usr/lib/jvm; install one (Debian, Ubuntu: apt-get install openjdk-$release-jdk-headless) or set JAVA_HOME"
fi
command -v "${MVN:-mvn}" > /dev/null || fail "Maven was not found; install it (Debian, Ubuntu: apt-get install maven)"

# The test framework is not published for every version; its absence skips the unit tests of that version, aloud.
framework=()
if [ "$goal" = test ] || [ "$goal" = verify ]; then
  if ! grep -qx "$version unit-tests" "$here/versions"; then
    echo "bicross: no published test framework for $version: unit tests skipped, the node itself proves this version" >&2
    framework=(-Dmaven.test.skip=true)
  fi
fi

# Only warnings and errors: the first of either breaks the build and must be seen.
export MAVEN_OPTS="${MAVEN_OPTS:-} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
JAVA_HOME=$jdk exec "${MVN:-mvn}" --batch-mode --file "$here/pom.xml" "$goal" \
  -Delasticsearch.version="$version" -Djava.release="$release" -Dcompat.line="$line" -Dcompat.minor="$minor" \
  "${framework[@]}" "$@"
