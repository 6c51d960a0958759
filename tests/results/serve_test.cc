// The server shows runs and nothing else: not what lies beside them, not to other sites, not by
// other methods, and nothing of a run as a page that we did not write.

#include "results/serve.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <httplib.h>
#include <unistd.h>

#include "core/json.h"
#include "results/live_run.h"
#include "results/run_list.h"
#include "results/store.h"
#include "tests/results/sample_runs.h"

namespace ordeal::results {

namespace {

namespace fs = std::filesystem;

// A folder of runs with one stored run in it, and something beside it that is nobody's business.
class Runs {
 public:
  Runs() {
    root_ = fs::temp_directory_path() / ("ordeal-serve-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "runs");
    std::ofstream(root_ / "secret.txt") << "secret";
    RunRecord run = failed_run();
    directory_ = create_run_directory(runs(), run).value();
    directory_ = name_by_verdict(directory_, run.verdict).value();
    run.name = directory_.filename().string();
    REQUIRE(write_results(directory_, run));
    REQUIRE(append_index(runs(), run));
    fs::create_directories(directory_ / "nodes/n1");
    std::ofstream(directory_ / "nodes/n1/etcd.log") << "one\n<script>alert(1)</script>\nthree\n";
    std::ofstream(directory_ / "nodes/n1/report.html") << "<script>alert(1)</script>";
    std::ofstream(directory_ / "plan.json") << "{\"a\":1}";
    std::ofstream(directory_ / "inventory.json") << "{}";
    fs::create_symlink(root_ / "secret.txt", directory_ / "link");
  }
  ~Runs() { fs::remove_all(root_); }
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;
  [[nodiscard]] fs::path runs() const { return root_ / "runs"; }
  [[nodiscard]] std::string name() const { return directory_.filename().string(); }
  [[nodiscard]] const fs::path& directory() const { return directory_; }

 private:
  fs::path root_, directory_;
};

class Serving {
 public:
  explicit Serving(const fs::path& runs)
      : server_(Server::open({runs, "127.0.0.1", 0}).value()),
        thread_([this] { server_->run(); }),
        client("127.0.0.1", server_->port()) {
    for (int i = 0; i < 200 && !client.Get("/"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ~Serving() { server_->stop(); }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  std::unique_ptr<Server> server_;
  std::jthread thread_;

 public:
  httplib::Client client;
};

}  // namespace

TEST_CASE("only files of a run can be reached") {
  const Runs runs;
  CHECK(confined(runs.runs(), runs.name(), "report.html"));
  CHECK(confined(runs.runs(), runs.name(), "nodes/n1/etcd.log"));
  CHECK(confined(runs.runs(), runs.name(), "nodes/../report.html"));
  for (const char* file : {"../index.jsonl", "../../secret.txt", "/etc/passwd", "link", "nodes", "",
                           "inventory.json", "nodes/../inventory.json", "missing"})
    CHECK_FALSE(confined(runs.runs(), runs.name(), file));
  for (const char* run : {"..", ".", "", "/etc", "secret.txt"})
    CHECK_FALSE(confined(runs.runs(), run, "secret.txt"));
}

TEST_CASE("the server shows runs, and what it does not know it refuses") {
  const Runs runs;
  Serving serving(runs.runs());
  auto& client = serving.client;
  const std::string base = "/run/" + runs.name() + "/";
  const auto status = [&](const std::string& path) {
    const auto answer = client.Get(path.c_str());
    return answer ? answer->status : 0;
  };
  CHECK(status("/") == 200);
  CHECK(status("/trend") == 200);
  const auto list = client.Get("/api/runs.json");
  REQUIRE(list);
  const auto json = parse_json(list->body);
  REQUIRE(json);
  CHECK(json->at("runs").size() == 1);
  CHECK(json->at("runs")[0].at("name") == runs.name());
  CHECK(status(base) == 302);
  CHECK(client.Get((base + "report.html").c_str())->get_header_value("Content-Type") ==
        "text/html; charset=utf-8");
  CHECK(status(base + "..%2f..%2fsecret.txt") == 404);
  CHECK(status(base + "../../secret.txt") == 404);
  CHECK(status(base + "inventory.json") == 404);
  CHECK(status("/run/nothing/") == 404);
  CHECK(status("/etc/passwd") == 404);
  CHECK(status("/compare?a=" + runs.name() + "&b=" + runs.name()) == 200);
  CHECK(status("/api/compare.json?a=" + runs.name() + "&b=x") == 404);
  CHECK(status("/api/live/" + runs.name() + ".json") == 200);
  CHECK(client.Post("/", "x", "text/plain")->status == 405);
  CHECK(client.Delete(base.c_str())->status == 405);
  CHECK(client.Get("/", {{"Host", "evil.example:80"}})->status == 403);
}

TEST_CASE("what a run has written so far is told, whatever stands in its files") {
  const Runs runs;
  const fs::path directory = create_run_directory(runs.runs(), broken_run()).value();
  const auto live = [&] { return parse_json(live_json(directory).value()).value(); };
  CHECK(live().at("phase") == "starting");
  std::ofstream(directory / "plan.json")
      << R"({"seed":7,"time_ns":60000000000,"cluster":{"name":"etcd"},"workload":{"name":"set"},)"
      << R"("nemeses":["kill"],"faults":[{"id":1,"kind":"kill"},{"id":2,"kind":"pause"}]})";
  std::ofstream(directory / "execution.json") << R"({"phase":"main","main_began_ns":1000000000})";
  std::ofstream(directory / "faults.jsonl")
      << R"({"fault":1,"step":"inject","at_ns":2000000000,"node":"","detail":"n1","command":""})"
      << "\n{torn";
  std::ofstream(directory / "nodes.jsonl")
      << R"({"at_ns":1,"node":"n1","answers":true,"leader":"n1","term":2,"error":""})" << '\n';
  std::ofstream history(directory / "history.jsonl");
  for (int i = 0; i < 40; ++i)
    history << fmt::format(R"({{"index":{},"time_ns":{},"type":"{}"}})", i, i * 1'000'000'000LL,
                           i % 2 == 0 ? "invoke" : "ok")
            << '\n';
  history.close();
  const Json told = live();
  CHECK(told.at("plan").at("workload") == "set");
  CHECK(told.at("events") == 40);
  CHECK(told.at("rates").at("ok").get<double>() == Approx(0.5).margin(0.1));  // of the last 10 s
  REQUIRE(told.at("faults_on").size() == 1);
  CHECK(told.at("faults_on")[0].at("kind") == "kill");
  CHECK(told.at("faults_planned") == 2);
  CHECK(told.at("lately")[0].at("text") == "n1");
  for (const char* file : {"plan.json", "execution.json", "history.jsonl", "nodes.jsonl"})
    std::ofstream(directory / file) << "[{\"seed\":[]},\"\xff\"]\n{\"index\":\"x\",\"type\":[]}\n";
  CHECK(live().at("plan").at("seed") == 0);
  std::ofstream(directory / "plan.json") << R"({"seed":"x","faults":[3],"workload":9})";
  CHECK(live().at("plan").at("workload") == "");
}

TEST_CASE("logs are text, in the viewer too, and no page but ours is a page") {
  const Runs runs;
  Serving serving(runs.runs());
  const std::string base = "/run/" + runs.name() + "/nodes/n1/";
  const auto view = serving.client.Get((base + "etcd.log").c_str());
  REQUIRE(view);
  CHECK(view->body.find("id=\"L2\"") != std::string::npos);
  CHECK(view->body.find("<script>alert") == std::string::npos);
  const auto from = serving.client.Get((base + "etcd.log?from=3").c_str());
  CHECK(from->body.find("id=\"L2\"") == std::string::npos);
  for (const std::string file : {"etcd.log?raw=1", "report.html?raw=1"}) {
    const auto raw = serving.client.Get((base + file).c_str());
    REQUIRE(raw);
    CHECK(raw->get_header_value("Content-Type") == "text/plain; charset=utf-8");
    CHECK(raw->get_header_value("X-Content-Type-Options") == "nosniff");
  }
}

TEST_CASE("a list that changed is read again") {
  const Runs runs;
  RunList list(runs.runs());
  const std::string before = list.json().value();
  CHECK(list.json().value() == before);
  RunRecord another = passed_run();
  another.started = "2026-11-24T02:04:31Z";
  another.name = "2026-11-24T02-04-31-PASS-etcd-register-partition+kill-s42";
  REQUIRE(create_run_directory(runs.runs(), another));
  REQUIRE(append_index(runs.runs(), another));
  const auto json = parse_json(list.json().value());
  CHECK(json->at("runs").size() == 2);
  CHECK(json->at("going_on").size() == 1);
}

}  // namespace ordeal::results
