// SPDX-License-Identifier: Apache-2.0
//
// An entry of manifest.json, with its files.
#pragma once

#include <time.h>

#include <string>
#include <utility>
#include <vector>

#include "emulator/corpus/world.h"

namespace emulator::corpus {

struct File {
  std::string role;
  Blob bytes;
};

struct Entry {
  std::string id;
  std::string kind;
  std::string product;
  std::string reason;
  std::string verdict;
  std::vector<std::string> failing_checks;
  bool profile = false;  // strictness, where invalid
  std::vector<std::pair<std::string, bool>> checks;
  time_t eval_time = kEvalTime;
  bool test_roots = true;
  std::string embedded_report;  // SHA-256; of an envelope only
  std::vector<File> files;      // The first is the main one.
};

std::vector<std::string> Words(const std::string& text);
// Lower case, as in ids.
std::string IdOf(const ChipModel& model);
std::string HexSha256(const Blob& bytes);

// Reports, good and bad, of every product.
std::vector<Entry> ReportEntries(const World& world);
// Certificate tables, envelopes, leaves, chains and lists by themselves.
std::vector<Entry> OtherEntries(const World& world,
                                const std::vector<Entry>& reports);

std::vector<Entry> AllEntries(const World& world);

}  // namespace emulator::corpus
