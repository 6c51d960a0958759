#include "results/serve.h"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>
#include <httplib.h>

#include "core/file.h"
#include "results/assets.h"
#include "results/compare.h"
#include "results/html.h"
#include "results/live_run.h"
#include "results/run_list.h"
#include "results/run_name.h"
#include "results/store.h"
#include "results/text.h"

namespace ordeal::results {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t viewer_lines = 20'000;
constexpr std::uintmax_t largest_file = std::uintmax_t{512} << 20U;
// What would tell a reader of a shared screen more than the test: where nodes are and how they are
// reached.
constexpr std::string_view kept_back = "inventory.json";

using httplib::Request;
using httplib::Response;

void refuse(Response& response, int status, std::string_view why) {
  response.status = status;
  response.set_content(std::string(why) + "\n", "text/plain; charset=utf-8");
}

void send_html(Response& response, const std::string& page) {
  response.set_content(page, "text/html; charset=utf-8");
}

// A page that its script fills from JSON.
std::string shell_page(const std::string& title, std::string_view view, const Json& data) {
  PageParts parts;
  parts.title = title;
  parts.css_class = "page list";
  parts.body = fmt::format(
      "<header class=\"top\"><h1>{}</h1></header>\n<nav><a href=\"/\">Runs</a><a href=\"/trend\">"
      "Nights</a><a href=\"/api/runs.json\">JSON</a></nav>\n<main id=\"main\" data-view=\"{}\">"
      "<noscript><p class=\"card\">This list needs JavaScript; the reports of the runs do not."
      "</p></noscript></main>\n",
      html(title), view);
  parts.scripts = fmt::format(
      "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n",
      script_json(data), asset_index());
  return html_page(parts);
}

bool is_ours(const std::string& file) {
  if (file == report_file) return true;
  const fs::path path(file);
  const std::string folder = path.parent_path().filename().string();
  return path.filename() == "finding.html" && path.parent_path().parent_path() == findings_folder &&
         folder.find_first_not_of("0123456789") == std::string::npos;
}

bool is_log(const std::string& file) {
  return file.starts_with("nodes/") || file.ends_with(".jsonl") || file.ends_with(".log");
}

// A part of a log with numbered lines, so that #L12 is line 12.
Result<std::string> viewer_page(const std::string& run, const std::string& file,
                                const fs::path& path, std::size_t from) {
  const Result<std::string> text = read_file(path);
  if (!text) return pass_on(text.error());
  std::string lines;
  std::size_t number = 0;
  std::size_t shown = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    if (++number >= from && shown < viewer_lines) {
      ++shown;
      lines += fmt::format("<span id=\"L{0}\"><a href=\"#L{0}\">{0}</a>{1}</span>", number,
                           html(std::string_view(*text).substr(begin, end - begin), 4000));
    }
    begin = end + 1;
  }
  PageParts parts;
  parts.title = file + " of " + run;
  parts.css_class = "page list";
  parts.body = fmt::format(
      "<header class=\"top\"><h1>{}</h1><p class=\"meta\"><a href=\"/run/{}/\">{}</a> · {} lines "
      "from line {}, of {} · <a href=\"?raw=1\">raw</a> · <input id=\"find\" type=\"search\" "
      "placeholder=\"only lines with …\"></p></header>\n<main><section class=\"card\"><pre "
      "class=\"viewer\">{}</pre></section></main>\n",
      html(file), html(run), html(run), shown, from, number, lines);
  parts.scripts = fmt::format(
      "<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n{}</script>\n",
      script_json({{"view", "log"}, {"from", from}, {"shown", shown}, {"lines", number}}),
      asset_index());
  return html_page(parts);
}

class HttpServer final : public Server {
 public:
  explicit HttpServer(ServeOptions options) : options_(std::move(options)), list_(options_.runs) {
    routes();
  }

  bool bind() {
    const bool is_bound = options_.port != 0
                              ? server_.bind_to_port(options_.address, options_.port)
                              : (options_.port = server_.bind_to_any_port(options_.address)) > 0;
    if (is_bound) (void)list_.json();  // so that the first reader does not wait for it
    return is_bound;
  }
  int port() const override { return options_.port; }
  void run() override { server_.listen_after_bind(); }
  void stop() override { server_.stop(); }

 private:
  void routes() {
    server_.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"X-Frame-Options", "DENY"}});
    server_.set_read_timeout(5, 0);
    server_.set_write_timeout(30, 0);
    server_.set_payload_max_length(0);
    server_.set_pre_routing_handler([this](const Request& request, Response& response) {
      if (request.method != "GET" && request.method != "HEAD") {
        refuse(response, 405, "this server only shows");
        return httplib::Server::HandlerResponse::Handled;
      }
      if (!is_our_name(request.get_header_value("Host"))) {
        refuse(response, 403, "ask for it by the address that `ordeal serve` printed");
        return httplib::Server::HandlerResponse::Handled;
      }
      return httplib::Server::HandlerResponse::Unhandled;
    });
    server_.Get("/", [](const Request&, Response& response) {
      send_html(response, shell_page("Runs", "runs", {{"view", "runs"}}));
    });
    server_.Get("/trend", [](const Request&, Response& response) {
      send_html(response, shell_page("Nights", "trend", {{"view", "trend"}}));
    });
    server_.Get("/api/runs.json",
                [this](const Request&, Response& response) { send_json(response, list_.json()); });
    server_.Get(R"(/api/live/([^/]+)\.json)", [this](const Request& request, Response& response) {
      const auto file = confined(options_.runs, request.matches[1], plan_file);
      if (!file) return refuse(response, 404, file.error().message);
      send_json(response, live_json(file->parent_path()));
    });
    server_.Get("/compare", [this](const Request& request, Response& response) {
      compare(request, response, false);
    });
    server_.Get("/api/compare.json", [this](const Request& request, Response& response) {
      compare(request, response, true);
    });
    server_.Get(R"(/run/([^/]+))", [](const Request& request, Response& response) {
      response.set_redirect("/run/" + std::string(request.matches[1]) + "/");
    });
    server_.Get(R"(/run/([^/]+)/(.*))", [this](const Request& request, Response& response) {
      show(request.matches[1], request.matches[2], request, response);
    });
  }

  // A page of another site may send a browser here under a name of its own; it gets nothing.
  [[nodiscard]] bool is_our_name(const std::string& host) const {
    const std::string name = host.substr(0, host.rfind(':'));
    return name == "127.0.0.1" || name == "localhost" || name == "[::1]" ||
           name == options_.address || host == options_.address;
  }

  static void send_json(Response& response, const Result<std::string>& json) {
    if (!json) return refuse(response, 500, clean(json.error().message, 400));
    response.set_content(*json, "application/json");
  }

  void show(const std::string& run, std::string file, const Request& request, Response& response) {
    if (file.empty()) {
      if (confined(options_.runs, run, report_file))
        return response.set_redirect("/run/" + run + "/" + report_file);
      if (!confined(options_.runs, run, plan_file)) return refuse(response, 404, "no such run");
      return send_html(response, shell_page("Run " + clean(run, 100), "live",
                                            {{"view", "live"}, {"name", clean(run, 200)}}));
    }
    const auto path = confined(options_.runs, run, file);
    if (!path) return refuse(response, 404, path.error().message);
    std::error_code failure;
    if (fs::file_size(*path, failure) > largest_file || failure)
      return refuse(response, 413, "too large to be shown; read it on the disk");
    const bool raw = request.has_param("raw");
    if (is_log(file) && !raw) {
      std::size_t from = 1;
      if (request.has_param("from"))
        from = std::max(1UL, std::strtoul(request.get_param_value("from").c_str(), nullptr, 10));
      const auto page = viewer_page(run, file, *path, from);
      if (!page) return refuse(response, 500, page.error().message);
      return send_html(response, *page);
    }
    const auto content = read_file(*path);
    if (!content) return refuse(response, 500, content.error().message);
    // Only what we wrote ourselves may be more than text.
    const char* type = is_ours(file)             ? "text/html; charset=utf-8"
                       : file.ends_with(".json") ? "application/json"
                                                 : "text/plain; charset=utf-8";
    response.set_content(*content, type);
  }

  void compare(const Request& request, Response& response, bool as_json) {
    std::vector<fs::path> runs;
    for (const char* name : {"a", "b"}) {
      const auto file = confined(options_.runs, request.get_param_value(name), run_file);
      if (!file) return refuse(response, 404, file.error().message);
      runs.push_back(file->parent_path());
    }
    const auto comparison = compare_runs(runs[0], runs[1]);
    if (!comparison) return refuse(response, 500, clean(comparison.error().message, 400));
    if (as_json) return send_json(response, to_page(comparison->json));
    send_html(response, render_comparison_page(*comparison));
  }

  ServeOptions options_;
  RunList list_;
  httplib::Server server_;
};

}  // namespace

Result<fs::path> confined(const fs::path& runs, const std::string& run, const std::string& file) {
  if (!parse_run_name(run)) return error("no such run");
  std::error_code failure;
  const fs::path root = fs::canonical(runs / run, failure);
  if (failure) return error("no such run");
  const fs::path target = fs::canonical(root / fs::path(file).relative_path(), failure);
  if (failure || !fs::is_regular_file(target, failure)) return error("no such file");
  const auto [end, rest] = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (end != root.end() || fs::path(file).is_absolute()) return error("no such file");
  if (target.filename() == kept_back) return error("no such file");
  return target;
}

Result<std::unique_ptr<Server>> Server::open(const ServeOptions& options) {
  std::error_code failure;
  if (!fs::is_directory(options.runs, failure))
    return error("{} is no folder of runs", options.runs.string());
  auto server = std::make_unique<HttpServer>(options);
  if (!server->bind())
    return error("cannot listen on {} port {}: is it taken? Choose another one with --port",
                 options.address, options.port);
  return server;
}

}  // namespace ordeal::results
