// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/config.h"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "base/result.h"
#include "host-proxy/reasons.h"
#include "proto/channel.h"
#include "third_party/toml.h"

namespace host_proxy {
namespace {

// sun_path, without its NUL.
constexpr size_t kMaxSocketPath = 107;
constexpr size_t kMaxPath = 4095;

bool IsName(std::string_view name) {
  // EDGE: characters as bytes.
  return proto::channel::IsName(
      {reinterpret_cast<const uint8_t*>(name.data()), name.size()});
}

// Reads one table; the first thing wrong ends it.
class Reader {
 public:
  Reader(std::string_view name, const toml::table& table)
      : name_(name), table_(table) {}

  absl::Status Fail(const toml::source_region& where, base::Reason reason,
                    std::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(name_, ":", where.begin.line, ":", where.begin.column,
                     ": ", base::NameOf(reason).text, " ", what));
  }

  absl::Status ExpectKeys(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : table_) {
      bool found = false;
      for (const std::string_view name : known) found |= key.str() == name;
      if (!found) {
        return Fail(key.source(), kConfigUnknownKey,
                    absl::StrCat("unknown key '", key.str(), "'"));
      }
    }
    return absl::OkStatus();
  }

  // A string of 1 to max_size bytes without control characters; "" if it is
  // optional and missing.
  absl::StatusOr<std::string> String(std::string_view key, size_t max_size,
                                     bool optional = false) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      if (optional) return std::string();
      return Fail(table_.source(), kConfigValue,
                  absl::StrCat("missing key '", key, "'"));
    }
    const auto* value = node->as_string();
    if (value == nullptr) {
      return Fail(node->source(), kConfigValue,
                  absl::StrCat("'", key, "' is not a string"));
    }
    const std::string& text = value->get();
    bool clean = !text.empty() && text.size() <= max_size;
    for (const char c : text) {
      clean &= static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    }
    if (!clean) {
      return Fail(node->source(), kConfigValue,
                  absl::StrCat("'", key, "' is not 1 to ", max_size,
                               " printable characters"));
    }
    return text;
  }

  toml::source_region Where(std::string_view key) const {
    const toml::node* node = table_.get(key);
    return node == nullptr ? table_.source() : node->source();
  }
  const toml::table& table() const { return table_; }
  std::string_view name() const { return name_; }

 private:
  std::string_view name_;
  const toml::table& table_;
};

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

absl::Status ParseEndpoints(const Reader& vm, VmConfig& out) {
  const toml::node* node = vm.table().get("endpoints");
  if (node == nullptr || node->as_table() == nullptr) {
    return vm.Fail(vm.Where("endpoints"), kConfigValue,
                   "'endpoints' is missing or not a table");
  }
  const Reader reader(vm.name(), *node->as_table());
  for (const auto& [key, value] : reader.table()) {
    if (!IsName(key.str())) {
      return reader.Fail(key.source(), kConfigValue,
                         "an endpoint's name is not 1 to 128 of [a-z0-9._/-]");
    }
    auto text = reader.String(key.str(), 300);
    if (!text.ok()) return text.status();
    auto endpoint = ParseEndpoint(*text);
    if (!endpoint.has_value()) {
      return reader.Fail(value.source(), kConfigValue,
                         "an endpoint is not \"host:port\"");
    }
    out.endpoints.emplace(key.str(), *std::move(endpoint));
  }
  if (out.endpoints.empty() || out.endpoints.size() > kMaxEndpoints) {
    return reader.Fail(
        node->source(), kConfigValue,
        absl::StrCat("a VM has 1 to ", kMaxEndpoints, " endpoints"));
  }
  return absl::OkStatus();
}

absl::StatusOr<VmConfig> ParseVm(const Reader& reader) {
  VmConfig vm;
  if (auto status = reader.ExpectKeys(
          {"label", "socket", "ram", "certificates", "endpoints"});
      !status.ok()) {
    return status;
  }
  const struct {
    std::string_view key;
    size_t max_size;
    bool optional;
    std::string& out;
  } strings[] = {
      {"label", proto::channel::kMaxName, false, vm.label},
      {"socket", kMaxSocketPath, false, vm.socket},
      {"ram", kMaxPath, false, vm.ram},
      {"certificates", kMaxPath, true, vm.certificates},
  };
  for (const auto& row : strings) {
    auto text = reader.String(row.key, row.max_size, row.optional);
    if (!text.ok()) return text.status();
    row.out = *std::move(text);
  }
  if (!IsName(vm.label)) {
    return reader.Fail(reader.Where("label"), kConfigValue,
                       "'label' is not 1 to 128 of [a-z0-9._/-]");
  }
  if (auto status = ParseEndpoints(reader, vm); !status.ok()) return status;
  return vm;
}

absl::Status ParseTimeout(const Reader& reader, Config& config) {
  const toml::node* node = reader.table().get("connect_timeout_ms");
  if (node == nullptr) return absl::OkStatus();
  const auto* value = node->as_integer();
  if (value == nullptr || value->get() < 1 || value->get() > 600000) {
    return reader.Fail(node->source(), kConfigValue,
                       "'connect_timeout_ms' is not 1 to 600000");
  }
  config.connect_timeout = std::chrono::milliseconds(value->get());
  return absl::OkStatus();
}

absl::Status ParseVms(const Reader& root, Config& config) {
  const toml::node* node = root.table().get("vm");
  const toml::array* vms = node == nullptr ? nullptr : node->as_array();
  if (vms == nullptr || vms->empty() || vms->size() > kMaxVms) {
    return root.Fail(root.Where("vm"), kConfigValue,
                     absl::StrCat("expected 1 to ", kMaxVms, " tables [[vm]]"));
  }
  std::set<std::string> labels;
  std::set<std::string> paths;  // sockets and RAM files together
  for (const toml::node& entry : *vms) {
    if (entry.as_table() == nullptr) {
      return root.Fail(entry.source(), kConfigValue, "expected a table [[vm]]");
    }
    const Reader reader(root.name(), *entry.as_table());
    auto vm = ParseVm(reader);
    if (!vm.ok()) return vm.status();
    if (!labels.insert(vm->label).second) {
      return reader.Fail(reader.Where("label"), kConfigValue,
                         "two VMs have the same 'label'");
    }
    if (!paths.insert(vm->socket).second) {
      return reader.Fail(reader.Where("socket"), kConfigValue,
                         "this 'socket' is used already");
    }
    if (!paths.insert(vm->ram).second) {
      return reader.Fail(reader.Where("ram"), kConfigValue,
                         "this 'ram' is used already");
    }
    config.vms.push_back(*std::move(vm));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Config> ParseConfig(std::string_view text,
                                   std::string_view name) {
  if (text.size() > kMaxConfigSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", base::NameOf(kConfigSyntax).text,
                     " the file is larger than 1 MiB"));
  }
  const toml::parse_result parsed = third_party::ParseToml(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return absl::InvalidArgumentError(absl::StrCat(
        name, ":", error.source().begin.line, ":", error.source().begin.column,
        ": ", base::NameOf(kConfigSyntax).text, " ", error.description()));
  }
  const Reader root(name, parsed.table());
  Config config;
  for (const absl::Status& status :
       {root.ExpectKeys({"vm", "connect_timeout_ms"}),
        ParseTimeout(root, config), ParseVms(root, config)}) {
    if (!status.ok()) return status;
  }
  return config;
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxConfigSize + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    return absl::ErrnoToStatus(
        errno == 0 ? EIO : errno,
        absl::StrCat(path, ": ", base::NameOf(kConfigUnreadable).text));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return ParseConfig(text, path);
}

}  // namespace host_proxy
