// SPDX-License-Identifier: Apache-2.0
//
// An entry of manifest.json, with its files.
#pragma once

#include <time.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/corpus/world.h"

namespace corpus {

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

// Of one line, with the line in its id. `failing` as in ReportCase.
Entry SimpleEntry(const Line& line, std::string_view id, const char* kind,
                  const char* reason, const char* failing,
                  std::vector<File> files);
// Of `reports`, the good version 3 report of that line.
const Blob& GoodReport(const std::vector<Entry>& reports, const Line& line,
                       SignerKind signer);

// Reports, good and bad, of every product.
std::vector<Entry> ReportEntries(const World& world);
// Certificate tables, leaves, chains and lists by themselves.
std::vector<Entry> OtherEntries(const World& world,
                                const std::vector<Entry>& reports);
// What reports travel in: MSG_REPORT_RSP and Azure's blob.
std::vector<Entry> EnvelopeEntries(const World& world,
                                   const std::vector<Entry>& reports);
// ID blocks, and lists of measured pages.
std::vector<Entry> LaunchEntries(const World& world);

std::vector<Entry> AllEntries(const World& world);

}  // namespace corpus
