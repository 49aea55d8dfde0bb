// SPDX-License-Identifier: Apache-2.0
#include "cli/quiet_qemu.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hosted/arguments.h"
#include "hosted/text.h"

namespace cli {
namespace {

// QEMU's NAME=VALUE,...: a comma of a value is written twice, the first one may
// have no name.
std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += ",,";
      ++i;
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

bool HasKey(std::string_view part, std::string_view key) {
  return absl::StartsWith(part, key) && part.size() > key.size() &&
         part[key.size()] == '=';
}

// The parts of `text` that have one of `keys`.
std::string Only(std::string_view text,
                 std::span<const std::string_view> keys) {
  std::vector<std::string> kept;
  for (std::string& part : Split(text)) {
    if (std::ranges::any_of(keys,
                            [&](auto key) { return HasKey(part, key); })) {
      kept.push_back(std::move(part));
    }
  }
  return absl::StrJoin(kept, ",");
}

std::string WithFirst(std::string_view first, const std::string& rest) {
  return rest.empty() ? std::string(first) : absl::StrCat(first, ",", rest);
}

// Options with a value that no machine is made of.
constexpr std::string_view kDropped[] = {
    "-monitor",  "-qmp",     "-qmp-pretty", "-mon",    "-gdb",     "-pidfile",
    "-D",        "-d",       "-trace",      "-vnc",    "-spice",   "-display",
    "-incoming", "-sandbox", "-runas",      "-chroot", "-audiodev"};
constexpr std::string_view kDroppedAlone[] = {"-S", "-s", "-daemonize",
                                              "-nographic", "-snapshot"};

// What would take hold of something of this host's, and has another form that
// is replaced here.
constexpr std::string_view kRefused[] = {
    "-nic",      "-net",      "-blockdev",   "-hda",    "-hdb",
    "-hdc",      "-hdd",      "-cdrom",      "-fda",    "-fdb",
    "-sd",       "-mtdblock", "-pflash",     "-virtfs", "-fsdev",
    "-parallel", "-debugcon", "-readconfig", "-tpmdev", "-mem-path"};

class Quieter {
 public:
  explicit Quieter(const QuietImage& image) : image_(image) {}

  void Alone(const std::string& option) {
    nographic_ = nographic_ || option == "-nographic";
    nodefaults_ = nodefaults_ || option == "-nodefaults";
    if (std::ranges::find(kDroppedAlone, option) == std::end(kDroppedAlone)) {
      out_.words.push_back(option);
    }
  }

  void Pair(const std::string& option, const std::string& value) {
    if (std::ranges::find(kDropped, option) != std::end(kDropped)) return;
    if (std::ranges::find(kRefused, option) != std::end(kRefused) ||
        (option == "-device" && absl::StartsWith(value, "vfio"))) {
      refused_ = absl::StrCat(option, " ", hosted::Printable(value));
      return;
    }
    if (option == "-kernel") {
      Put(option, image_.elf);
      starts_ = true;
    } else if (option == "-bios") {
      Put(option, image_.rom);
      starts_ = true;
    } else if (option == "-object") {
      Object(value);
    } else if (option == "-machine" || option == "-M") {
      Machine(value);
    } else if (option == "-chardev") {
      Chardev(value);
    } else if (option == "-serial") {
      Serial(value);
    } else if (option == "-netdev") {
      Network(value);
    } else if (option == "-drive") {
      Drive(value);
    } else {
      Put(option, value);
    }
  }

  absl::StatusOr<QuietQemu> Take() && {
    if (!refused_.empty()) {
      return hosted::UsageError(
          absl::StrCat(refused_,
                       ": not started here; give -drive, -netdev, -chardev and "
                       "emulated devices, which are replaced"));
    }
    if (!starts_) {
      return hosted::UsageError(
          "the QEMU command line starts no image: it has no -kernel, no -bios "
          "and no igvm-cfg");
    }
    // QEMU's own first serial port.
    if (!hears_ && serials_ == 0 && (nographic_ || !nodefaults_)) {
      Serial("stdio");
    }
    if (!hears_) {
      return hosted::UsageError(
          "the QEMU command line has no -serial, by which the guest says the "
          "digest");
    }
    Put("-display", "none");
    return std::move(out_);
  }

 private:
  void Put(std::string option, std::string value) {
    out_.words.push_back(std::move(option));
    out_.words.push_back(std::move(value));
  }

  void Object(const std::string& value) {
    const std::string kind = Split(value)[0];
    if (kind == "sev-snp-guest") return;
    if (kind == "igvm-cfg") {
      // Like a ROM's: a launch without firmware.
      Put("-bios", image_.rom);
      starts_ = true;
    } else if (absl::StartsWith(kind, "memory-backend-")) {
      constexpr std::string_view kKept[] = {"id", "size"};
      Put("-object", WithFirst("memory-backend-ram", Only(value, kKept)));
    } else {
      Put("-object", value);
    }
  }

  void Machine(const std::string& value) {
    std::vector<std::string> kept;
    bool snp = false;
    for (std::string& part : Split(value)) {
      if (HasKey(part, "confidential-guest-support")) {
        snp = true;
      } else if (!HasKey(part, "igvm-cfg")) {
        kept.push_back(std::move(part));
      }
    }
    if (snp) kept.emplace_back("smm=off");
    out_.snp = out_.snp || snp;
    Put("-machine", absl::StrJoin(kept, ","));
  }

  void Chardev(const std::string& value) {
    constexpr std::string_view kKept[] = {"id"};
    const bool standard = Split(value)[0] == "stdio";
    Put("-chardev", standard ? value : WithFirst("null", Only(value, kKept)));
    hears_ = hears_ || standard;
  }

  // The guest's console is the first serial port.
  void Serial(const std::string& value) {
    const bool first = serials_++ == 0;
    if (absl::StartsWith(value, "chardev:") || value == "none") {
      Put("-serial", value);
      return;
    }
    Put("-serial", first ? "stdio" : "null");
    hears_ = true;
  }

  void Network(const std::string& value) {
    constexpr std::string_view kKept[] = {"id"};
    Put("-netdev",
        absl::StrCat("hubport,hubid=", networks_++, ",", Only(value, kKept)));
  }

  void Drive(const std::string& value) {
    constexpr std::string_view kKept[] = {"if",  "id",   "media",
                                          "bus", "unit", "index"};
    const std::string kept = Only(value, kKept);
    if (absl::StrContains(kept, "if=pflash")) {
      Put("-drive", absl::StrCat(value, ",readonly=on"));
    } else {
      Put("-drive", WithFirst("driver=null-co,size=1G", kept));
    }
  }

  const QuietImage& image_;
  QuietQemu out_;
  std::string refused_;
  int serials_ = 0;
  int networks_ = 0;
  bool starts_ = false;
  bool hears_ = false;
  bool nographic_ = false;
  bool nodefaults_ = false;
};

bool IsOption(const std::string& word) {
  return absl::StartsWith(word, "-") && word != "-";
}

}  // namespace

absl::StatusOr<QuietQemu> MakeQuiet(std::span<const std::string> words,
                                    const QuietImage& image) {
  if (words.empty() || IsOption(words[0])) {
    return hosted::UsageError(
        "a QEMU command line begins with the program's name");
  }
  Quieter quieter(image);
  quieter.Alone(words[0]);
  for (size_t i = 1; i < words.size(); ++i) {
    // QEMU takes --option, too.
    const std::string option =
        absl::StartsWith(words[i], "--") ? words[i].substr(1) : words[i];
    if (i + 1 < words.size() && !IsOption(words[i + 1])) {
      quieter.Pair(option, words[++i]);
    } else {
      quieter.Alone(option);
    }
  }
  return std::move(quieter).Take();
}

}  // namespace cli
