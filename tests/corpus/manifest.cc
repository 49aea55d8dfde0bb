// SPDX-License-Identifier: Apache-2.0
#include "tests/corpus/manifest.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hosted/text.h"
#include "nlohmann/json.hpp"

namespace corpus {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr char kNote[] =
    "made by Forelock's emulated firmware under throw-away test roots: no AMD "
    "signature anywhere";

absl::Status WriteBytes(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    return absl::InternalError(absl::StrCat("cannot write ", path.string()));
  }
  return absl::OkStatus();
}

std::string TimeText(time_t time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromTimeT(time),
                          absl::UTCTimeZone());
}

// The main file is named by its entry, as it is the entry's own; others are
// shared, and named by their digest.
std::string PathOf(const Entry& entry, const File& file) {
  if (&file == &entry.files.front()) {
    return absl::StrCat("entries/", entry.id, ".", file.role);
  }
  return absl::StrCat("shared/", file.role, "-",
                      HexSha256(file.bytes).substr(0, 16), ".der");
}

Json JsonOf(const Entry& entry) {
  Json files = Json::array();
  for (const File& file : entry.files) {
    files.push_back({{"role", file.role},
                     {"path", PathOf(entry, file)},
                     {"sha256", HexSha256(file.bytes)},
                     {"bytes", file.bytes.size()}});
  }
  Json expected = {{"verdict", entry.verdict},
                   {"reason", entry.reason},
                   {"failing_checks", entry.failing_checks}};
  if (entry.verdict == "invalid") {
    expected["strictness"] = entry.profile ? "profile" : "must";
  }
  Json checks = Json::object();
  for (const auto& [name, passes] : entry.checks) checks[name] = passes;
  Json json = {{"id", entry.id},
               {"set", "emulated"},
               {"kind", entry.kind},
               {"genuine", false},
               {"product", entry.product},
               {"file", files.front()["path"]},
               {"sha256", files.front()["sha256"]},
               {"files", files},
               {"origin", {{"note", kNote}}},
               {"eval_time", TimeText(entry.eval_time)},
               {"expected", expected},
               {"checks", checks}};
  if (!entry.embedded_report.empty()) {
    json["embedded_report"] = entry.embedded_report;
  }
  if (entry.test_roots) json["trust_anchor"] = "the corpus's own (NOT AMD)";
  return json;
}

Json Pins(const World& world) {
  return {{"Milan", HexSha256(world.milan.ark)},
          {"Genoa", HexSha256(world.genoa.ark)},
          {"Turin", HexSha256(world.turin.ark)},
          {"Milan, expired", HexSha256(world.expired_ark)},
          {"Milan, not self-signed", HexSha256(world.unsigned_ark)}};
}

// AMD's, for the entries that are judged by these: none can be valid.
Json AmdPins() {
  return {{"Milan",
           "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"},
          {"Genoa",
           "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"},
          {"Turin",
           "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"}};
}

}  // namespace

absl::Status WriteCorpus(const std::string& dir, const World& world,
                         const std::vector<Entry>& entries) {
  std::error_code error;
  for (const char* folder : {"entries", "shared"}) {
    fs::create_directories(fs::path(dir) / folder, error);
    if (error) return absl::InternalError(error.message());
  }
  Json vectors = Json::array();
  for (const Entry& entry : entries) {
    for (const File& file : entry.files) {
      const absl::Status status = WriteBytes(
          fs::path(dir) / PathOf(entry, file), hosted::AsText(file.bytes));
      if (!status.ok()) return status;
    }
    vectors.push_back(JsonOf(entry));
  }
  const Json manifest = {{"default_eval_time", kEvalTimeText},
                         {"root_pins_sha256_der", AmdPins()},
                         {"test_root_pins_sha256_der", Pins(world)},
                         {"vectors", vectors}};
  return WriteBytes(fs::path(dir) / "manifest.json", manifest.dump(1) + "\n");
}

}  // namespace corpus
