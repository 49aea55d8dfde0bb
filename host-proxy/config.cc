// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/config.h"

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "host-proxy/error.h"
#include "host-proxy/reasons.h"
#include "hosted/files.h"
#include "hosted/toml.h"
#include "proto/name.h"

namespace host_proxy {
namespace {

using hosted::TomlTable;

constexpr hosted::TomlReasons kTomlReasons = {
    .rows = kReasonRows,
    .syntax = kConfigSyntax,
    .unknown_key = kConfigUnknownKey,
    .missing_key = kConfigValue,
    .bad_value = kConfigValue,
};

// sun_path, without its NUL.
constexpr size_t kMaxSocketPath = 107;
constexpr size_t kMaxPath = 4095;
constexpr size_t kMaxEndpoint = 300;
constexpr uint64_t kLongestTimeout = 600000;  // ms
constexpr char kWantName[] = "want 1 to 128 of [a-z0-9._/-]";

bool IsName(std::string_view name) {
  return proto::HasNameForm(base::AsBytes(name));
}

// A string of 1 to max_size bytes without control characters.
std::string TextOf(TomlTable& table, std::string_view key,
                   const toml::node& node, size_t max_size) {
  std::string text = table.StringOf(key, node);
  bool clean = !text.empty() && text.size() <= max_size;
  for (const char c : text) {
    clean &= static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  }
  if (clean) return text;
  table.Bad(node, key,
            absl::StrCat("want 1 to ", max_size, " printable characters"));
  return "";
}

std::string Text(TomlTable& table, std::string_view key, size_t max_size) {
  const toml::node* node = table.Require(key);
  return node == nullptr ? "" : TextOf(table, key, *node, max_size);
}

// "host:port", "1.2.3.4:port" or "[v6]:port".
std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() ||
      digits.find_first_not_of("0123456789") != std::string_view::npos ||
      !absl::SimpleAtoi(digits, &port) || port == 0 || port > 65535) {
    return std::nullopt;
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // An IPv6 address needs its brackets.
  }
  if (host.empty() || host.size() > 253) return std::nullopt;
  return Endpoint{std::string(host), static_cast<uint16_t>(port)};
}

void ReadEndpoints(TomlTable& vm, VmConfig& out) {
  const toml::node* node = vm.Require("endpoints");
  if (node == nullptr) return;
  TomlTable table = vm.TableOf("endpoints", *node);
  for (const auto& [key, value] : table.table()) {
    if (!table.ok()) return;
    if (!IsName(key.str())) {
      table.Bad(value, key.str(), kWantName);
      return;
    }
    auto endpoint =
        ParseEndpoint(TextOf(table, key.str(), value, kMaxEndpoint));
    if (!endpoint.has_value()) {
      table.Bad(value, key.str(), "want \"host:port\"");
      return;
    }
    out.endpoints.emplace(key.str(), *std::move(endpoint));
  }
  if (out.endpoints.empty() || out.endpoints.size() > kMaxEndpoints) {
    vm.Bad(*node, "endpoints",
           absl::StrCat("want 1 to ", kMaxEndpoints, " of them"));
  }
}

VmConfig ReadVm(TomlTable& table) {
  VmConfig vm;
  vm.label = Text(table, "label", proto::kMaxNameSize);
  vm.socket = Text(table, "socket", kMaxSocketPath);
  vm.ram = Text(table, "ram", kMaxPath);
  if (const toml::node* node = table.Find("certificates")) {
    vm.certificates = TextOf(table, "certificates", *node, kMaxPath);
  }
  if (table.ok() && !IsName(vm.label)) table.BadAt("label", kWantName);
  ReadEndpoints(table, vm);
  table.RefuseUnknown();
  return vm;
}

void ReadVms(TomlTable& root, hosted::TomlErrors& errors, Config& config) {
  constexpr std::string_view kKey = "vm";
  const toml::node* node = root.Require(kKey);
  if (node == nullptr) return;
  const toml::array* vms = node->as_array();
  if (vms == nullptr || vms->empty() || vms->size() > kMaxVms) {
    root.Bad(*node, kKey,
             absl::StrCat("want 1 to ", kMaxVms, " tables [[vm]]"));
    return;
  }
  std::set<std::string> labels;
  std::set<std::string> paths;  // sockets and RAM files together
  for (const toml::node& entry : *vms) {
    if (entry.as_table() == nullptr) {
      root.Bad(entry, kKey, "want a table [[vm]]");
      return;
    }
    TomlTable table(*entry.as_table(), "vm.", errors);
    VmConfig vm = ReadVm(table);
    if (!table.ok()) return;
    if (!labels.insert(vm.label).second) {
      table.BadAt("label", "another VM has the same");
    }
    if (!paths.insert(vm.socket).second) {
      table.BadAt("socket", "this path is used already");
    }
    if (!paths.insert(vm.ram).second) {
      table.BadAt("ram", "this path is used already");
    }
    config.vms.push_back(std::move(vm));
  }
}

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view text,
                                   std::string_view name) {
  hosted::TomlErrors errors(name, kTomlReasons);
  const auto parsed = hosted::ParseToml(text, kMaxConfigSize, errors);
  if (!parsed) return errors.status();
  TomlTable root(*parsed, "", errors);
  Config config;
  if (const toml::node* node = root.Find("connect_timeout_ms")) {
    config.connect_timeout = std::chrono::milliseconds(
        root.Integer("connect_timeout_ms", *node, 1, kLongestTimeout,
                     absl::StrCat("want 1 to ", kLongestTimeout)));
  }
  ReadVms(root, errors, config);
  root.RefuseUnknown();
  if (!errors.ok()) return errors.status();
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  const auto bytes = hosted::ReadInput(path, kMaxConfigSize);
  if (!bytes.ok()) {
    const bool too_long = absl::IsOutOfRange(bytes.status());
    return Error(too_long ? kConfigSyntax : kConfigUnreadable,
                 bytes.status().message(), bytes.status().code());
  }
  const std::string text(bytes->begin(), bytes->end());
  return ParseConfig(text, path);
}

}  // namespace host_proxy
