# Adds up what the conformance kit has counted per fixture and clause (target/contract/*.json).
# Prints a line per driver, JSON to the file named by -v json, and a table for the docs to the one
# named by -v table.
function value(name) { return match($0, "\"" name "\": [0-9]+") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 4) + 0 : 0 }
/"fixture":/ {
  driver = $0
  sub(/.*"fixture": "/, "", driver)
  sub(/".*/, "", driver)
  sub(/.*\./, "", driver)
  sub(/Fixture$/, "", driver)
  broken_on_purpose = driver == "Broken"
  if (!broken_on_purpose) drivers[++count] = driver
}
/"tested":/ && !broken_on_purpose {
  clause = $0
  sub(/^ *"/, "", clause)
  sub(/".*/, "", clause)
  if (!(clause in seen)) {
    seen[clause] = 1
    order[++kinds] = clause
  }
  cell[clause, driver] = value("failed") + value("skipped") > 0 ? "**failed**" : value("refused") == 0 ? value("tested") : value("tested") == 0 ? "refused" : value("tested") " + " value("refused") " refused"
  clauses[driver]++
  tested[driver] += value("tested")
  refused[driver] += value("refused")
  failed[driver] += value("failed")
  skipped[driver] += value("skipped")
}
END {
  all = ""
  for (i = 1; i <= count; i++) {
    d = drivers[i]
    cases = tested[d] + refused[d] + failed[d] + skipped[d]
    printf "%-16s %4d cases in %d clauses: %d tested, %d refused as undeclared, %d failed, %d skipped\n", d, cases, clauses[d], tested[d], refused[d], failed[d], skipped[d]
    all = all (i > 1 ? "," : "") sprintf("\"%s\":{\"cases\":%d,\"clauses\":%d,\"tested\":%d,\"refused\":%d,\"failed\":%d,\"skipped\":%d}", d, cases, clauses[d], tested[d], refused[d], failed[d], skipped[d])
    totalFailed += failed[d]
    totalSkipped += skipped[d]
  }
  printf "%d of %d broken drivers caught\n", caught, broken
  if (table != "") {
    row = "| clause |"
    line = "|---|"
    for (i = 1; i <= count; i++) {
      row = row " " drivers[i] " |"
      line = line "---|"
    }
    print row > table
    print line > table
    for (k = 1; k <= kinds; k++) {
      row = "| " order[k] " |"
      for (i = 1; i <= count; i++) row = row " " ((order[k], drivers[i]) in cell ? cell[order[k], drivers[i]] : "not run") " |"
      print row > table
    }
  }
  if (json != "") printf "{\"check\":\"contract\",\"drivers\":{%s},\"failed\":%d,\"skipped\":%d,\"brokenDrivers\":%d,\"brokenDriversCaught\":%d}\n", all, totalFailed, totalSkipped, broken, caught > json
}
