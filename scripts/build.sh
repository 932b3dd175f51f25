# Sourced by ./kv and ./check: finds the tools and builds what is missing.

require_tools() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/}java
  if ! command -v "$java" >/dev/null 2>&1; then
    echo "kvshift: no Java found: install a JDK 17 or 21 (Debian: apt-get install openjdk-17-jdk-headless) or set JAVA_HOME" >&2
    exit 1
  fi
  if ! command -v mvn >/dev/null 2>&1; then
    echo "kvshift: no Maven found: install Maven 3.8 or later (Debian: apt-get install maven)" >&2
    exit 1
  fi
}

# Builds the jars and the class path of ./kv where a source is newer than the last build.
build_if_stale() {
  stamp=$root/target/kv.built
  if [ -f "$stamp" ] && [ -z "$(find "$root"/pom.xml "$root"/kv-*/pom.xml "$root"/kv-*/src/main "$root"/kv-*/*/pom.xml "$root"/benchmarks/pom.xml "$root"/benchmarks/src/main -newer "$stamp" -print -quit)" ]; then
    return
  fi
  echo "kvshift: building (the first time takes a few minutes, to fetch what it needs)" >&2
  log=$root/target/kv-build.log
  mkdir -p "$root/target"
  if ! (cd "$root" && mvn -B -ntp -DskipTests -Dspotless.check.skip=true package) >"$log" 2>&1; then
    grep -m 5 'ERROR' "$log" >&2 || tail -n 5 "$log" >&2
    echo "kvshift: the build failed; target/kv-build.log has all of it" >&2
    exit 1
  fi
  touch "$stamp"
}
