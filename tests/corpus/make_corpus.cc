// SPDX-License-Identifier: Apache-2.0
//
// make_corpus DIR: writes a corpus of evidence with its manifest.json, under
// keys made for it and thrown away.
#include <stdio.h>

#include "tests/corpus/entry.h"
#include "tests/corpus/manifest.h"
#include "tests/corpus/world.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: make_corpus DIR\n");
    return 2;
  }
  const corpus::World world = corpus::MakeWorld();
  const auto entries = corpus::AllEntries(world);
  const auto status = corpus::WriteCorpus(argv[1], world, entries);
  if (!status.ok()) {
    fprintf(stderr, "make_corpus: %s\n", status.ToString().c_str());
    return 1;
  }
  printf("%s: %zu entries\n", argv[1], entries.size());
  return 0;
}
