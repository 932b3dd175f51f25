package dev.kvshift.transition.model;

/**
 * The bounds of one walk through {@link DirectoryModel}: how often each thing may happen.
 *
 * @param writers how many processes write
 * @param puts how many entries they write
 * @param deletes how many entries are deleted
 * @param gets how many reads of single entries there are
 * @param ranges how many reads of all entries there are, one after another
 * @param wipes how often the copy is dropped
 * @param losses how many writes time out or die with their process
 */
record DirectoryScope(
    int writers, int puts, int deletes, int gets, int ranges, int wipes, int losses) {}
