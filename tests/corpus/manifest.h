// SPDX-License-Identifier: Apache-2.0
//
// Writes a folder of entries with its manifest.json.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/corpus/entry.h"

namespace corpus {

// `dir` exists or can be made; what it holds is overwritten.
absl::Status WriteCorpus(const std::string& dir, const World& world,
                         const std::vector<Entry>& entries);

}  // namespace corpus
