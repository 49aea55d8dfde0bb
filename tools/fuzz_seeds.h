// SPDX-License-Identifier: Apache-2.0
//
// The seeds of the fuzz target that this is linked into.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

namespace tools {

using FuzzInput = std::vector<uint8_t>;

// What ForelockFuzzSeed gives; none if the target has none.
std::vector<FuzzInput> BuiltInSeeds();

// The inputs of a .seeds file: one a line, in hexadecimal; `#` begins a
// comment. Ends the process if it cannot be read: it is part of the source
// tree.
std::vector<FuzzInput> SeedsOfFile(const std::string& path);

// `PROGRAM --write-seeds FOLDER [FILE.seeds]`: writes each seed into a file of
// its own there, and ends the process. Returns if these are not the arguments.
void WriteSeedsIfAsked(int argc, char** argv);

}  // namespace tools
