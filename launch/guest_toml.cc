// SPDX-License-Identifier: Apache-2.0
#include "launch/guest_toml.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "proto/reasons.h"
#include "toml++/toml.h"

namespace launch {
namespace {

constexpr std::string_view kSha256Prefix = "sha256:";
constexpr std::string_view kSha384Prefix = "sha384:";

// The first error of a file; later ones are dropped.
class Errors {
 public:
  explicit Errors(const std::string& file_name) : file_name_(file_name) {}

  void Add(base::Reason reason, const toml::source_region& where,
           std::string_view text) {
    // A misspelt key is unknown and missing at once: the first says more.
    const bool better = missing_ && reason == kTomlUnknownKey;
    if (!status_.ok() && !better) return;
    missing_ = reason == kTomlMissingKey;
    status_ = Error(
        reason, absl::StrFormat("%s:%d:%d: %s", file_name_, where.begin.line,
                                where.begin.column, text));
  }
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string file_name_;
  absl::Status status_;
  bool missing_ = false;  // status_ says that a key is missing.
};

enum class Presence : uint8_t { kRequired, kOptional };

// One table whose every key must be asked for.
class Table {
 public:
  Table(const toml::table& table, std::string name, Errors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  // nullptr: absent; an error if it is required.
  const toml::node* Get(std::string_view key, Presence presence) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr && presence == Presence::kRequired) {
      errors_.Add(kTomlMissingKey, table_.source(),
                  absl::StrCat("key '", name_, key, "' is missing"));
    }
    return node;
  }

  std::string Text(std::string_view key, Presence presence) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return "";
    return TextOf(*node, key);
  }
  std::string TextOf(const toml::node& node, std::string_view key) {
    const auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
      Bad(node, key, "wants text");
      return "";
    }
    return value->get();
  }

  uint32_t Number(std::string_view key, Presence presence, uint32_t absent) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return absent;
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < 0 || value->get() > UINT32_MAX) {
      Bad(*node, key, "wants a whole number");
      return absent;
    }
    return static_cast<uint32_t>(value->get());
  }

  // One of a few words.
  template <typename T>
  T Choice(std::string_view key, Presence presence,
           std::initializer_list<std::pair<std::string_view, T>> choices) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return choices.begin()->second;
    const std::string text = TextOf(*node, key);
    std::string words;
    for (const auto& [word, value] : choices) {
      if (text == word) return value;
      absl::StrAppend(&words, words.empty() ? "" : " or ", "\"", word, "\"");
    }
    Bad(*node, key, absl::StrCat("wants ", words));
    return choices.begin()->second;
  }

  // PREFIX and hexadecimal digits for exactly out.size() bytes.
  template <size_t kSize>
  void Digest(const toml::node& node, std::string_view key,
              std::string_view prefix, std::array<uint8_t, kSize>& out) {
    const std::string text = TextOf(node, key);
    std::string bytes;
    if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 * kSize ||
        !absl::HexStringToBytes(std::string_view(text).substr(prefix.size()),
                                &bytes)) {
      Bad(node, key,
          absl::StrCat("wants ", prefix, " and ", 2 * kSize, " hex digits"));
      return;
    }
    std::copy(bytes.begin(), bytes.end(), out.begin());
  }

  template <size_t kCapacity>
  void Fixed(std::string_view key, proto::FixedText<kCapacity>& out) {
    const toml::node* node = Get(key, Presence::kRequired);
    if (node == nullptr) return;
    if (!out.Assign(TextOf(*node, key))) {
      Bad(*node, key, absl::StrCat("is over ", kCapacity, " characters"));
    }
  }

  void Bad(const toml::node& node, std::string_view key,
           std::string_view what) {
    errors_.Add(kTomlBadValue, node.source(),
                absl::StrCat("key '", name_, key, "' ", what));
  }

  // Call last.
  void RefuseOtherKeys() {
    for (const auto& [key, node] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      errors_.Add(kTomlUnknownKey, key.source(),
                  absl::StrCat("unknown key '", name_, key.str(), "'"));
    }
  }

 private:
  const toml::table& table_;
  const std::string name_;  // with a trailing dot, or empty
  Errors& errors_;
  std::set<std::string> known_;
};

// The table under `key`, if there is one.
const toml::table* SubTable(Table& table, std::string_view key) {
  const toml::node* node = table.Get(key, Presence::kOptional);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr) table.Bad(*node, key, "wants a table");
  return node->as_table();
}

void ReadPins(Table& root, proto::Config& config) {
  constexpr char kKey[] = "verifier_pins";
  const toml::node* node = root.Get(kKey, Presence::kRequired);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty()) {
    root.Bad(*node, kKey, "wants a list of 1 to 4 pins");
    return;
  }
  for (const toml::node& entry : *list) {
    proto::Pin pin{};
    root.Digest(entry, kKey, kSha256Prefix, pin);
    if (!config.verifier_pins.Add(pin)) {
      root.Bad(entry, kKey, "has more than 4 pins");
      return;
    }
  }
}

proto::Resource ReadResource(const toml::table& in, Errors& errors) {
  Table table(in, "resource.", errors);
  proto::Resource resource;
  table.Fixed("name", resource.name);
  resource.kind =
      table.Choice<proto::ResourceKind>("kind", Presence::kRequired,
                                        {{"luks2", proto::ResourceKind::kLuks2},
                                         {"file", proto::ResourceKind::kFile}});
  resource.max_size =
      table.Number("max_size", Presence::kOptional, proto::kMaxSecretSize);
  switch (resource.kind) {
    case proto::ResourceKind::kLuks2:
      table.Fixed("volume", resource.place);
      break;
    case proto::ResourceKind::kFile:
      table.Fixed("path", resource.place);
      break;
  }
  table.RefuseOtherKeys();
  return resource;
}

void ReadResources(Table& root, Errors& errors, proto::Config& config) {
  constexpr char kKey[] = "resource";
  const toml::node* node = root.Get(kKey, Presence::kOptional);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    root.Bad(*node, kKey, "wants [[resource]] tables");
    return;
  }
  for (const toml::node& entry : *list) {
    const toml::table* in = entry.as_table();
    if (in == nullptr) {
      root.Bad(entry, kKey, "wants [[resource]] tables");
      return;
    }
    if (!config.resources.Add(ReadResource(*in, errors))) {
      root.Bad(entry, kKey, "stands more than 8 times");
      return;
    }
  }
}

void ReadChannel(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "channel");
  if (in == nullptr) return;
  Table table(*in, "channel.", errors);
  config.transport = table.Choice<proto::Transport>(
      "transport", Presence::kRequired, {{"page", proto::Transport::kPage}});
  const uint32_t port =
      table.Number("port", Presence::kOptional, proto::kDefaultChannelPort);
  if (port > UINT16_MAX) {
    table.Bad(*in->get("port"), "port", "wants an I/O port, 0x100 to 0xffff");
  }
  config.channel_port = static_cast<uint16_t>(port);
  table.RefuseOtherKeys();
}

void ReadDeadlines(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "deadlines");
  if (in == nullptr) return;
  Table table(*in, "deadlines.", errors);
  const auto read = [&](std::string_view key, base::Milliseconds& deadline) {
    const uint32_t ms = table.Number(key, Presence::kOptional, 0);
    if (ms != 0) deadline = base::Milliseconds{ms};
  };
  read("proxy_ms", config.proxy_deadline);
  read("verifier_ms", config.verifier_deadline);
  read("secure_processor_ms", config.secure_processor_deadline);
  table.RefuseOtherKeys();
}

void ReadExpectedBoot(Table& root, Errors& errors, proto::Config& config) {
  const toml::table* in = SubTable(root, "expected_boot");
  if (in == nullptr) return;
  Table table(*in, "expected_boot.", errors);
  proto::ExpectedBoot boot;
  const auto read = [&](std::string_view key, Presence presence,
                        proto::BootDigest& digest) {
    const toml::node* node = table.Get(key, presence);
    if (node != nullptr) table.Digest(*node, key, kSha384Prefix, digest);
  };
  read("kernel", Presence::kRequired, boot.kernel);
  read("initrd", Presence::kRequired, boot.initrd);
  read("command_line", Presence::kRequired, boot.command_line);
  read("acpi",
       config.acpi == proto::Acpi::kFromHost ? Presence::kRequired
                                             : Presence::kOptional,
       boot.acpi);
  table.RefuseOtherKeys();
  config.expected_boot = boot;
}

proto::Config ReadRoot(const toml::table& in, Errors& errors) {
  Table root(in, "", errors);
  proto::Config config;
  const uint32_t version = root.Number("version", Presence::kRequired, 1);
  if (version != 1) root.Bad(*in.get("version"), "version", "wants 1");
  config.platform =
      root.Choice<proto::Platform>("platform", Presence::kRequired,
                                   {{"snp", proto::Platform::kSnp},
                                    {"emulated", proto::Platform::kEmulated}});
  root.Fixed("vm", config.vm);
  root.Fixed("verifier", config.verifier_endpoint);
  ReadPins(root, config);
  config.acpi = root.Choice<proto::Acpi>(
      "acpi", Presence::kRequired,
      {{"none", proto::Acpi::kNone}, {"from-host", proto::Acpi::kFromHost}});
  config.on_failure = root.Choice<proto::OnFailure>(
      "on_failure", Presence::kOptional,
      {{"halt", proto::OnFailure::kHalt},
       {"boot-without-secrets", proto::OnFailure::kBootWithoutSecrets}});
  const uint32_t tsc_khz = root.Number("tsc_khz", Presence::kOptional, 0);
  if (tsc_khz != 0) config.tsc_khz = tsc_khz;
  ReadResources(root, errors, config);
  ReadChannel(root, errors, config);
  ReadDeadlines(root, errors, config);
  ReadExpectedBoot(root, errors, config);
  root.RefuseOtherKeys();
  return config;
}

// Which key a broken rule of proto::CheckConfig() is about.
std::string_view KeyOf(base::Reason reason) {
  struct Row {
    base::Reason reason;
    std::string_view key;
  };
  constexpr Row kRows[] = {
      {proto::kConfigVmName, "vm"},
      {proto::kConfigEndpointName, "verifier"},
      {proto::kConfigPinCount, "verifier_pins"},
      {proto::kConfigPinDuplicate, "verifier_pins"},
      {proto::kConfigResourceCount, "resource"},
      {proto::kConfigResourceName, "resource"},
      {proto::kConfigResourceDuplicate, "resource"},
      {proto::kConfigResourceSize, "resource"},
      {proto::kConfigVolumeName, "resource"},
      {proto::kConfigFilePath, "resource"},
      {proto::kConfigPlaceDuplicate, "resource"},
      {proto::kConfigPort, "channel"},
      {proto::kConfigDeadline, "deadlines"},
      {proto::kConfigExpectedBootIncomplete, "expected_boot"},
      {proto::kConfigExpectedAcpiWithoutAcpi, "expected_boot"},
      {proto::kConfigUnattestedBoot, "on_failure"},
      {proto::kConfigTscFrequency, "tsc_khz"},
  };
  for (const Row& row : kRows) {
    if (row.reason == reason) return row.key;
  }
  return "version";
}

std::string RuleText(base::Reason reason) {
  constexpr base::ReasonRow kRows[] = {FORELOCK_PROTO_REASONS(BASE_REASON_ROW)};
  for (const base::ReasonRow& row : kRows) {
    if (row.reason == reason) return absl::StrCat(row.what, ". ", row.advice);
  }
  return "the configuration breaks a rule";
}

// The first [[resource]] that breaks a rule by itself or with those before it.
const toml::node& ResourceToBlame(const toml::node& list,
                                  const proto::Config& config) {
  proto::Config partial = config;
  partial.resources = {};
  for (size_t i = 0; i < config.resources.size(); ++i) {
    partial.resources.Add(config.resources[i]);
    if (!proto::CheckConfig(partial).ok()) return *list.as_array()->get(i);
  }
  return list;
}

void CheckRules(const toml::table& in, const proto::Config& config,
                Errors& errors) {
  const base::Status status = proto::CheckConfig(config);
  if (status.ok()) return;
  const std::string_view key = KeyOf(status.reason());
  const toml::node* node = in.get(key);
  if (node != nullptr && key == "resource") {
    node = &ResourceToBlame(*node, config);
  }
  errors.Add(status.reason(), node != nullptr ? node->source() : in.source(),
             RuleText(status.reason()));
}

template <size_t kSize>
std::string HexOf(const std::array<uint8_t, kSize>& bytes) {
  return absl::BytesToHexString(
      // EDGE: char may alias the bytes.
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// For a basic string. Places are printable ASCII (proto::CheckConfig()).
std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}});
}

std::string ResourceToml(const proto::Resource& resource) {
  const bool luks2 = resource.kind == proto::ResourceKind::kLuks2;
  return absl::StrFormat(
      "\n[[resource]]\nname = \"%s\"\nkind = \"%s\"\n%s = \"%s\"\n"
      "max_size = %d\n",
      resource.name.view(), luks2 ? "luks2" : "file", luks2 ? "volume" : "path",
      Escaped(resource.place.view()), resource.max_size);
}

}  // namespace

absl::StatusOr<proto::Config> ParseGuestToml(std::string_view text,
                                             const std::string& file_name) {
  Errors errors(file_name);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    errors.Add(kTomlSyntax, parsed.error().source(),
               parsed.error().description());
    return errors.status();
  }
  const proto::Config config = ReadRoot(parsed.table(), errors);
  if (errors.ok()) CheckRules(parsed.table(), config, errors);
  if (!errors.ok()) return errors.status();
  return config;
}

std::string ToGuestToml(const proto::Config& config) {
  const bool from_host = config.acpi == proto::Acpi::kFromHost;
  std::string out = absl::StrFormat(
      "version = 1\nplatform = \"%s\"\nvm = \"%s\"\nverifier = \"%s\"\n"
      "verifier_pins = [",
      config.platform == proto::Platform::kSnp ? "snp" : "emulated",
      config.vm.view(), config.verifier_endpoint.view());
  for (size_t i = 0; i < config.verifier_pins.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", "\"", kSha256Prefix,
                    HexOf(config.verifier_pins[i]), "\"");
  }
  absl::StrAppendFormat(
      &out, "]\nacpi = \"%s\"\non_failure = \"%s\"\ntsc_khz = %d\n",
      from_host ? "from-host" : "none",
      config.on_failure == proto::OnFailure::kHalt ? "halt"
                                                   : "boot-without-secrets",
      config.tsc_khz);
  for (const proto::Resource& resource : config.resources) {
    absl::StrAppend(&out, ResourceToml(resource));
  }
  absl::StrAppendFormat(
      &out,
      "\n[channel]\ntransport = \"page\"\nport = 0x%x\n\n[deadlines]\n"
      "proxy_ms = %d\nverifier_ms = %d\nsecure_processor_ms = %d\n",
      config.channel_port, static_cast<uint64_t>(config.proxy_deadline),
      static_cast<uint64_t>(config.verifier_deadline),
      static_cast<uint64_t>(config.secure_processor_deadline));
  if (config.expected_boot) {
    const proto::ExpectedBoot& boot = *config.expected_boot;
    absl::StrAppendFormat(&out,
                          "\n[expected_boot]\nkernel = \"sha384:%s\"\n"
                          "initrd = \"sha384:%s\"\n"
                          "command_line = \"sha384:%s\"\n",
                          HexOf(boot.kernel), HexOf(boot.initrd),
                          HexOf(boot.command_line));
    if (from_host) {
      absl::StrAppendFormat(&out, "acpi = \"sha384:%s\"\n", HexOf(boot.acpi));
    }
  }
  return out;
}

}  // namespace launch
