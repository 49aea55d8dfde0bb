// SPDX-License-Identifier: Apache-2.0
#include "cli/image_inspect.h"

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/describe_igvm.h"
#include "cli/files.h"
#include "launch/error.h"
#include "launch/igvm/read_write.h"
#include "launch/reasons.h"
#include "nlohmann/json.hpp"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;
using Json = nlohmann::ordered_json;

// The file's bytes and what is in them, which points into them.
struct OpenFile {
  std::vector<uint8_t> bytes;
  igvm::File file;
};

absl::StatusOr<OpenFile> Open(const std::string& path) {
  auto bytes = ReadInput(path, igvm::kMaxFileSize);
  if (!bytes.ok()) return bytes.status();
  OpenFile open = {.bytes = *std::move(bytes)};
  auto file = igvm::Read(open.bytes);
  if (!file.ok()) return file.status();
  open.file = *std::move(file);
  return open;
}

std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "gpa 0x1000, page_type normal"; what is empty or zero-sized is left out.
std::string Line(const Json& fields) {
  std::string line;
  for (const auto& [name, value] : fields.items()) {
    if (value.is_object() || (value.is_string() && value == "") ||
        (name.ends_with("_size") && value == 0)) {
      continue;
    }
    absl::StrAppend(&line, line.empty() ? "" : ", ", name, " ", TextOf(value));
  }
  return line;
}

void PrintFile(const igvm::File& file) {
  absl::PrintF(
      "IGVM version %d, %s, %d headers\n", file.version,
      file.architecture == igvm::Architecture::kX64 ? "x64" : "aarch64",
      file.headers.size());
}

Json FileJson(const igvm::File& file) {
  return {{"version", file.version},
          {"architecture",
           file.architecture == igvm::Architecture::kX64 ? "x64" : "aarch64"},
          {"headers", Json::array()}};
}

// --- list

constexpr hosted::Option kListOptions[] = {
    {"all", "", Kind::kSwitch, "every page on its own line"},
    {"json", "", Kind::kSwitch, "one JSON object, with every header"},
};

// Whether a list can say `next` in the line of `last`.
bool Continues(const igvm::PageData& last, const igvm::PageData& next) {
  return last.flags == next.flags && last.data_type == next.data_type &&
         last.compatibility_mask == next.compatibility_mask &&
         last.data.empty() == next.data.empty() &&
         (last.flags & igvm::kPageIsLarge) == 0 &&
         last.gpa + igvm::kPageSize == next.gpa;
}

void PrintList(const igvm::File& file, bool all) {
  for (size_t i = 0; i < file.headers.size(); ++i) {
    const igvm::Header& header = file.headers[i];
    size_t last = i;
    if (const auto* page = std::get_if<igvm::PageData>(&header.body)) {
      while (!all && last + 1 < file.headers.size()) {
        const auto* next =
            std::get_if<igvm::PageData>(&file.headers[last + 1].body);
        if (next == nullptr || !Continues(*page, *next)) break;
        page = next;
        ++last;
      }
    }
    const std::string line = Line(HeaderFields(header));
    if (last == i) {
      absl::PrintF("%6d  %s: %s\n", i, HeaderName(header), line);
    } else {
      absl::PrintF("%6d  %s: %s; and so on up to header %d: %d pages\n", i,
                   HeaderName(header), line, last, last - i + 1);
    }
    i = last;
  }
}

absl::Status List(const hosted::Arguments& arguments) {
  const auto open = Open(arguments.positional(0));
  if (!open.ok()) return open.status();
  if (arguments.Has("json")) {
    Json json = FileJson(open->file);
    for (size_t i = 0; i < open->file.headers.size(); ++i) {
      json["headers"].push_back(HeaderJson(i, open->file.headers[i]));
    }
    absl::PrintF("%s\n", json.dump(1));
    return absl::OkStatus();
  }
  PrintFile(open->file);
  PrintList(open->file, arguments.Has("all"));
  return absl::OkStatus();
}

// --- dump

constexpr hosted::Option kDumpOptions[] = {
    {"header", "N", Kind::kOptional, "only this header, by its number"},
    {"page", "GPA", Kind::kOptional, "only the page at this address, in hex"},
    {"output", "FILE", Kind::kOptional,
     "write the data of that header or page to FILE, as it is"},
};

void PrintHeader(size_t number, const igvm::Header& header) {
  absl::PrintF("header %d at 0x%x: %s\n", number, header.offset,
               HeaderName(header));
  const Json fields = HeaderFields(header);
  for (const auto& [name, value] : fields.items()) {
    if (!value.is_object()) {
      absl::PrintF("  %s: %s\n", name, TextOf(value));
      continue;
    }
    for (const auto& [part, text] : value.items()) {
      absl::PrintF("  %s.%s: %s\n", name, part, TextOf(text));
    }
  }
  const auto* page = std::get_if<igvm::PageData>(&header.body);
  absl::PrintF("%s", HexDump(DataOf(header), page == nullptr ? 0 : page->gpa));
}

// What is at a guest-physical address; the first of several platforms'.
std::optional<size_t> HeaderAt(const igvm::File& file, uint64_t gpa) {
  for (size_t i = 0; i < file.headers.size(); ++i) {
    const igvm::Body& body = file.headers[i].body;
    if (const auto* page = std::get_if<igvm::PageData>(&body)) {
      const uint64_t size = (page->flags & igvm::kPageIsLarge) != 0
                                ? igvm::kLargePageSize
                                : igvm::kPageSize;
      if (gpa >= page->gpa && gpa - page->gpa < size) return i;
    } else if (const auto* context = std::get_if<igvm::VpContext>(&body)) {
      if (gpa == context->gpa) return i;
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<size_t>> HeaderGiven(
    const hosted::Arguments& arguments, const igvm::File& file) {
  if (arguments.Has("header")) {
    size_t number = 0;
    if (!absl::SimpleAtoi(arguments.Value("header"), &number) ||
        number >= file.headers.size()) {
      return hosted::UsageError(
          absl::StrCat("--header wants a number below ", file.headers.size()));
    }
    return number;
  }
  if (!arguments.Has("page")) return std::nullopt;
  uint64_t gpa = 0;
  if (!absl::SimpleHexAtoi(arguments.Value("page"), &gpa)) {
    return hosted::UsageError("--page wants an address in hex");
  }
  const auto found = HeaderAt(file, gpa);
  if (!found) {
    return launch::Error(launch::kIgvmNotLaunchable,
                         absl::StrFormat("no page at 0x%x", gpa));
  }
  return found;
}

absl::Status Dump(const hosted::Arguments& arguments) {
  if (arguments.Has("header") && arguments.Has("page")) {
    return hosted::UsageError("give --header or --page");
  }
  const auto open = Open(arguments.positional(0));
  if (!open.ok()) return open.status();
  const auto given = HeaderGiven(arguments, open->file);
  if (!given.ok()) return given.status();
  if (arguments.Has("output")) {
    if (!given->has_value()) {
      return hosted::UsageError("--output needs --header or --page");
    }
    return WriteOutput(arguments.Value("output"),
                       DataOf(open->file.headers[**given]));
  }
  if (given->has_value()) {
    PrintHeader(**given, open->file.headers[**given]);
    return absl::OkStatus();
  }
  PrintFile(open->file);
  for (size_t i = 0; i < open->file.headers.size(); ++i) {
    PrintHeader(i, open->file.headers[i]);
  }
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image dump", "IMAGE.igvm", "print the headers and bytes of an IGVM file",
     "Prints every field of every header and the bytes that it points to; with "
     "--header or --page, of one. Numbers of headers are those of `forelock "
     "image list`. A page without bytes in the file is zeros.",
     kDumpOptions, &Dump},
    {"image list", "IMAGE.igvm", "list what is in an IGVM file",
     "Lists the headers of an IGVM file, of whoever made it, in their order; "
     "runs of pages in one line. What this program does not know is listed "
     "with its number, and `forelock image measure` refuses it if it must not "
     "be left out.",
     kListOptions, &List},
};

}  // namespace

std::span<const hosted::Command> ImageInspectCommands() { return kCommands; }

}  // namespace cli
