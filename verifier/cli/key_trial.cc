// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/key_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/secret_buffer.h"
#include "verifier/store/secret_value.h"

namespace verifier {
namespace {

// A pipe's two ends; neither survives an exec by itself.
class Pipe {
 public:
  Pipe() {
    if (pipe2(fds_.data(), O_CLOEXEC) != 0) fds_ = {-1, -1};
  }
  ~Pipe() {
    CloseWrite();
    if (read_end() >= 0) close(read_end());
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int read_end() const { return fds_[0]; }
  int write_end() const { return fds_[1]; }
  void CloseWrite() {
    if (fds_[1] >= 0) close(std::exchange(fds_[1], -1));
  }

 private:
  std::array<int, 2> fds_{};
};

struct Run {
  enum class End { kExit, kNotStarted, kDeadline, kKilled };
  End end = End::kNotStarted;
  int code = 0;      // kExit
  int error = 0;     // kNotStarted: errno
  std::string text;  // what it printed, its first bytes
};

// Waits for the end of `child`, which is killed at the deadline. True: it
// ended.
bool WaitFor(pid_t child, std::chrono::milliseconds deadline, int& status) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  const auto end = std::chrono::steady_clock::now() + deadline;
  bool ended = false;
  while (fd >= 0 && !ended) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) break;
    pollfd wait = {.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) break;
    ended = ready > 0;
  }
  if (fd >= 0) close(fd);
  // Some sandboxes have no pidfd.
  while (fd < 0 && std::chrono::steady_clock::now() < end) {
    if (waitpid(child, &status, WNOHANG) == child) return true;
    poll(nullptr, 0, 20);
  }
  if (!ended) kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

// What is in the pipe by now, at most.
std::string Drain(int fd) {
  std::string text(4096, '\0');
  fcntl(fd, F_SETFL, O_NONBLOCK);
  const ssize_t got = read(fd, text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

// Standard input is `key`. The environment is ours: messages in English.
Run RunWithKey(const std::string& program, const std::string& device,
               base::Bytes key, std::chrono::milliseconds deadline) {
  Run run;
  Pipe in, out;
  // A pipe takes 4 KiB in one piece and without a reader.
  static_assert(kMaxSecretBytes <= PIPE_BUF);
  if (in.read_end() < 0 || out.read_end() < 0 ||
      fcntl(in.write_end(), F_SETFL, O_NONBLOCK) != 0 ||
      write(in.write_end(), key.data(), key.size()) !=
          static_cast<ssize_t>(key.size())) {
    run.error = errno;
    return run;
  }
  in.CloseWrite();
  std::array<std::string, 9> words = {
      program,      "open", "--verbose", "--test-passphrase", "--type", "luks2",
      "--key-file", "-",    device};
  std::array<char*, words.size() + 1> argv{};
  for (size_t i = 0; i < words.size(); ++i) argv[i] = words[i].data();
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LC_ALL=C";
  char* environment[] = {path.data(), language.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDERR_FILENO);
  pid_t child = 0;
  run.error = posix_spawn(&child, program.c_str(), &actions, nullptr,
                          argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  if (run.error != 0) return run;
  int status = 0;
  if (!WaitFor(child, deadline, status)) {
    run.end = Run::End::kDeadline;
  } else if (!WIFEXITED(status)) {
    run.end = Run::End::kKilled;
  } else {
    run.end = Run::End::kExit;
    run.code = WEXITSTATUS(status);
  }
  run.text = Drain(out.read_end());
  return run;
}

// "Key slot 0 unlocked."
std::optional<unsigned> KeyslotIn(const std::string& text) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    unsigned keyslot = 0;
    if (words.size() == 4 && words[0] == "Key" && words[1] == "slot" &&
        absl::StartsWith(words[3], "unlocked") &&
        absl::SimpleAtoi(words[2], &keyslot)) {
      return keyslot;
    }
  }
  return std::nullopt;
}

// Exit codes of cryptsetup(8), "RETURN CODES".
constexpr int kOpened = 0;
constexpr int kWrongKey = 2;

std::string WhyNot(const Run& run) {
  switch (run.end) {
    case Run::End::kNotStarted:
      return absl::StrCat("it cannot be started: ", strerror(run.error));
    case Run::End::kDeadline:
      return "it did not answer in time";
    case Run::End::kKilled:
      return "it was killed; memory may be short";
    case Run::End::kExit:
      break;
  }
  switch (run.code) {
    case 1:
      return "it does not know an option; is it older than version 2?";
    case 3:
      return "this machine has too little memory";
    case 4:
      return "it cannot use the device";
    case 5:
      return "the device is busy";
    default:
      return absl::StrCat("it ended with ", run.code);
  }
}

using Key = base::SecretBuffer<kMaxSecretBytes>;

// What somebody may have meant: without the newline at the key's end, or with
// one. Empty: nothing.
Key OtherEnding(base::Bytes key) {
  Key other;
  const auto ends_with = [&](uint8_t byte) {
    return !key.empty() && key.back() == byte;
  };
  if (ends_with('\n')) {
    key = key.first(key.size() - 1);
    if (ends_with('\r')) key = key.first(key.size() - 1);
    return *Key::CopyFrom(key);
  }
  const auto longer = other.ResizeForWrite(key.size() + 1);
  if (!longer.ok()) return other;
  memcpy(longer->data(), key.data(), key.size());
  longer->back() = '\n';
  return other;
}

}  // namespace

std::string FindCryptsetup(std::string_view path) {
  const std::string folders =
      absl::StrCat(path, path.empty() ? "" : ":", "/usr/sbin:/sbin");
  for (const absl::string_view folder : absl::StrSplit(folders, ':')) {
    if (!absl::StartsWith(folder, "/")) continue;
    const std::string program = absl::StrCat(folder, "/cryptsetup");
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

KeyTrial TryKey(const std::string& program, const std::string& device,
                base::Bytes key, std::chrono::milliseconds deadline) {
  KeyTrial trial;
  // Whole: it may begin with '-'.
  const std::unique_ptr<char, decltype(&free)> whole(
      realpath(device.c_str(), nullptr), &free);
  if (whole == nullptr) {
    trial.why = absl::StrCat(device, ": ", strerror(errno));
    return trial;
  }
  const Run run = RunWithKey(program, whole.get(), key, deadline);
  const bool answered = run.end == Run::End::kExit;
  if (answered && run.code == kOpened) {
    trial.fit = KeyFit::kOpens;
    trial.keyslot = KeyslotIn(run.text);
    return trial;
  }
  if (!answered || run.code != kWrongKey) {
    trial.why = WhyNot(run);
    return trial;
  }
  trial.fit = KeyFit::kDoesNotOpen;
  const Key other = OtherEnding(key);
  if (other.size() == 0) return trial;
  const Run again =
      RunWithKey(program, whole.get(), other.RevealSecret(), deadline);
  if (again.end == Run::End::kExit && again.code == kOpened) {
    trial.fit = other.size() < key.size() ? KeyFit::kOpensWithoutNewline
                                          : KeyFit::kOpensWithNewline;
  }
  return trial;
}

}  // namespace verifier
