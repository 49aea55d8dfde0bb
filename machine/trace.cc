// SPDX-License-Identifier: Apache-2.0
#include "machine/trace.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace machine {

void Trace::Record(const Exit& exit) {
  ++counts_[static_cast<size_t>(exit.cause)];
  if (out_ == nullptr) return;
  absl::FPrintF(out_, "%6d %12d rip %#x %-22s %s\n", exit.number,
                exit.instructions, exit.rip, NameOf(exit.cause), exit.detail);
}

void Trace::ConsoleCharacter(char c, uint64_t instructions) {
  console_.push_back(c);
  if (c == '\r') return;
  if (c != '\n') {
    line_.push_back(c);
    return;
  }
  if (out_ != nullptr) absl::FPrintF(out_, "# console: %s\n", line_);
  marks_.push_back({.text = line_,
                    .instructions = instructions,
                    .budget_exits = budget_exits(),
                    .exits = exits()});
  line_.clear();
}

void Trace::Note(std::string_view text) {
  if (out_ != nullptr) absl::FPrintF(out_, "# %s\n", text);
}

uint64_t Trace::exits() const {
  uint64_t sum = 0;
  for (const uint64_t count : counts_) sum += count;
  return sum;
}

uint64_t Trace::budget_exits() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kCauseCount; ++i) {
    if (!OutsideBudget(static_cast<Cause>(i))) sum += counts_[i];
  }
  return sum;
}

std::string JsonQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string_view(&c, 1));
    } else if (byte < 0x20 || byte >= 0x7F) {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out.push_back(c);
    }
  }
  return absl::StrCat(out, "\"");
}

std::string Trace::JsonMembers() const {
  std::string out = "\"exits\": {";
  std::string_view comma;
  for (size_t i = 0; i < kCauseCount; ++i) {
    if (counts_[i] == 0) continue;
    absl::StrAppendFormat(&out, "%s%s: %d", comma, JsonQuoted(kCauseNames[i]),
                          counts_[i]);
    comma = ", ";
  }
  absl::StrAppendFormat(&out, "},\n\"budget_exits\": %d,\n\"marks\": [",
                        budget_exits());
  comma = "";
  for (const Mark& mark : marks_) {
    absl::StrAppendFormat(
        &out,
        "%s\n{\"text\": %s, \"instructions\": %d, \"exits\": %d, "
        "\"budget_exits\": %d}",
        comma, JsonQuoted(mark.text), mark.instructions, mark.exits,
        mark.budget_exits);
    comma = ",";
  }
  return absl::StrCat(out, "]");
}

}  // namespace machine
