// SPDX-License-Identifier: Apache-2.0
#include "launch/guest_toml.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hosted/status.h"
#include "hosted/toml.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "proto/reasons.h"

namespace launch {
namespace {

constexpr std::string_view kSha256Prefix = "sha256:";
constexpr std::string_view kSha384Prefix = "sha384:";

using hosted::TomlErrors;
using hosted::TomlTable;

constexpr hosted::TomlReasons kTomlReasons = {
    .rows = kReasonRows,
    .syntax = kTomlSyntax,
    .unknown_key = kTomlUnknownKey,
    .missing_key = kTomlMissingKey,
    .bad_value = kTomlBadValue,
};

enum class Presence : uint8_t { kRequired, kOptional };

const toml::node* Get(TomlTable& table, std::string_view key,
                      Presence presence) {
  return presence == Presence::kRequired ? table.Require(key) : table.Find(key);
}

// `absent` is also what is returned after a failure.
uint32_t Number(TomlTable& table, std::string_view key, Presence presence,
                uint32_t absent) {
  const toml::node* node = Get(table, key, presence);
  if (node == nullptr) return absent;
  return static_cast<uint32_t>(
      table.Integer(key, *node, 0, UINT32_MAX, "want a whole number"));
}

template <typename T>
T Choice(TomlTable& table, std::string_view key, Presence presence,
         std::initializer_list<std::pair<std::string_view, T>> choices) {
  const toml::node* node = Get(table, key, presence);
  if (node == nullptr) return choices.begin()->second;
  return table.Choice(key, *node, choices);
}

template <size_t kSize>
void Digest(TomlTable& table, std::string_view key, const toml::node& node,
            std::string_view prefix, std::array<uint8_t, kSize>& out) {
  const auto* text = node.as_string();
  if (text == nullptr || !hosted::ReadHex(text->get(), prefix, out)) {
    table.Bad(node, key,
              absl::StrCat("want ", prefix, " and ", 2 * kSize, " hex digits"));
  }
}

template <size_t kCapacity>
void Fixed(TomlTable& table, std::string_view key,
           proto::FixedText<kCapacity>& out) {
  const toml::node* node = table.Require(key);
  if (node == nullptr) return;
  const std::string text = table.StringOf(key, *node);
  if (text.empty() || !out.Assign(text)) {
    table.Bad(*node, key, absl::StrCat("want 1 to ", kCapacity, " characters"));
  }
}

void ReadPins(TomlTable& root, proto::Config& config) {
  constexpr char kKey[] = "verifier_pins";
  const toml::node* node = root.Require(kKey);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty()) {
    root.Bad(*node, kKey, "want a list of 1 to 4 pins");
    return;
  }
  for (const toml::node& entry : *list) {
    proto::Pin pin{};
    Digest(root, kKey, entry, kSha256Prefix, pin);
    if (!config.verifier_pins.Add(pin)) {
      root.Bad(entry, kKey, "want 4 pins at most");
      return;
    }
  }
}

proto::Resource ReadResource(const toml::table& in, TomlErrors& errors) {
  TomlTable table(in, "resource.", errors);
  proto::Resource resource;
  Fixed(table, "name", resource.name);
  resource.kind =
      Choice<proto::ResourceKind>(table, "kind", Presence::kRequired,
                                  {{"luks2", proto::ResourceKind::kLuks2},
                                   {"file", proto::ResourceKind::kFile}});
  resource.max_size =
      Number(table, "max_size", Presence::kOptional, proto::kMaxSecretSize);
  switch (resource.kind) {
    case proto::ResourceKind::kLuks2:
      Fixed(table, "volume", resource.place);
      break;
    case proto::ResourceKind::kFile:
      Fixed(table, "path", resource.place);
      break;
  }
  table.RefuseUnknown();
  return resource;
}

void ReadResources(TomlTable& root, TomlErrors& errors, proto::Config& config) {
  constexpr char kKey[] = "resource";
  const toml::node* node = root.Find(kKey);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    root.Bad(*node, kKey, "want [[resource]] tables");
    return;
  }
  for (const toml::node& entry : *list) {
    const toml::table* in = entry.as_table();
    if (in == nullptr) {
      root.Bad(entry, kKey, "want [[resource]] tables");
      return;
    }
    if (!config.resources.Add(ReadResource(*in, errors))) {
      root.Bad(entry, kKey, "want 8 of them at most");
      return;
    }
  }
}

void ReadChannel(TomlTable& root, proto::Config& config) {
  if (root.Find("channel") == nullptr) return;
  TomlTable table = root.Table("channel");
  config.transport =
      Choice<proto::Transport>(table, "transport", Presence::kRequired,
                               {{"page", proto::Transport::kPage}});
  const uint32_t port =
      Number(table, "port", Presence::kOptional, proto::kProxyPort);
  if (port > UINT16_MAX) {
    table.BadAt("port", "want an I/O port, 0x100 to 0xffff");
  }
  config.channel_port = static_cast<uint16_t>(port);
  table.RefuseUnknown();
}

void ReadDeadlines(TomlTable& root, proto::Config& config) {
  if (root.Find("deadlines") == nullptr) return;
  TomlTable table = root.Table("deadlines");
  const auto read = [&](std::string_view key, base::Milliseconds& deadline) {
    const uint32_t ms = Number(table, key, Presence::kOptional, 0);
    if (ms != 0) deadline = base::Milliseconds{ms};
  };
  read("proxy_ms", config.proxy_deadline);
  read("verifier_ms", config.verifier_deadline);
  read("secure_processor_ms", config.secure_processor_deadline);
  read("boot_ms", config.boot_deadline);
  table.RefuseUnknown();
}

void ReadExpectedBoot(TomlTable& root, proto::Config& config) {
  if (root.Find("expected_boot") == nullptr) return;
  TomlTable table = root.Table("expected_boot");
  proto::ExpectedBoot boot;
  const auto read = [&](std::string_view key, Presence presence,
                        proto::BootDigest& digest) {
    const toml::node* node = Get(table, key, presence);
    if (node != nullptr) Digest(table, key, *node, kSha384Prefix, digest);
  };
  read("kernel", Presence::kRequired, boot.kernel);
  read("initrd", Presence::kRequired, boot.initrd);
  read("command_line", Presence::kRequired, boot.command_line);
  read("acpi",
       config.acpi == proto::Acpi::kFromHost ? Presence::kRequired
                                             : Presence::kOptional,
       boot.acpi);
  table.RefuseUnknown();
  config.expected_boot = boot;
}

proto::Config ReadRoot(TomlTable& root, TomlErrors& errors) {
  proto::Config config;
  const uint32_t version = Number(root, "version", Presence::kRequired, 1);
  if (version != 1) root.BadAt("version", "want 1");
  config.platform =
      Choice<proto::Platform>(root, "platform", Presence::kRequired,
                              {{"snp", proto::Platform::kSnp},
                               {"emulated", proto::Platform::kEmulated}});
  Fixed(root, "vm", config.vm);
  Fixed(root, "verifier", config.verifier_endpoint);
  ReadPins(root, config);
  config.acpi = Choice<proto::Acpi>(
      root, "acpi", Presence::kRequired,
      {{"none", proto::Acpi::kNone}, {"from-host", proto::Acpi::kFromHost}});
  config.on_failure = Choice<proto::OnFailure>(
      root, "on_failure", Presence::kOptional,
      {{"halt", proto::OnFailure::kHalt},
       {"boot-without-secrets", proto::OnFailure::kBootWithoutSecrets}});
  const uint32_t tsc_khz = Number(root, "tsc_khz", Presence::kOptional, 0);
  if (tsc_khz != 0) config.tsc_khz = tsc_khz;
  ReadResources(root, errors, config);
  ReadChannel(root, config);
  ReadDeadlines(root, config);
  ReadExpectedBoot(root, config);
  root.RefuseUnknown();
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
                TomlErrors& errors) {
  const base::Status status = proto::CheckConfig(config);
  if (status.ok()) return;
  const std::string_view key = KeyOf(status.reason());
  const toml::node* node = in.get(key);
  if (node != nullptr && key == "resource") {
    node = &ResourceToBlame(*node, config);
  }
  errors.Say(status.reason(), node != nullptr ? node->source() : in.source(),
             hosted::TextOf(kReasonRows, status.reason()).advice);
}

}  // namespace

absl::StatusOr<proto::Config> ParseGuestToml(std::string_view text,
                                             const std::string& file_name) {
  TomlErrors errors(file_name, kTomlReasons);
  const auto parsed = hosted::ParseToml(text, kMaxGuestTomlSize, errors);
  if (!parsed) return errors.status();
  TomlTable root(*parsed, "", errors);
  const proto::Config config = ReadRoot(root, errors);
  if (errors.ok()) CheckRules(*parsed, config, errors);
  if (!errors.ok()) return errors.status();
  return config;
}

}  // namespace launch
