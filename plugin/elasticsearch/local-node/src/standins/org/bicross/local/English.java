package org.bicross.local;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;

/**
 * The {@code english} analyzer as it comes without settings: Lucene's own, which the distribution uses
 * too, by a module that is not published.
 *
 * <p>Settings ({@code stopwords}, {@code stem_exclusion}) are refused rather than overlooked.
 */
final class English {
    static final Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> ANALYZERS =
            Map.of("english", (index, environment, name, settings) -> provider(name, settings));

    /** Elasticsearch adds the second to every analyzer's settings. */
    private static final Set<String> ALWAYS_THERE = Set.of("type", IndexMetadata.SETTING_VERSION_CREATED);

    private English() {}

    private static AnalyzerProvider<? extends Analyzer> provider(String name, Settings settings) {
        Set<String> unknown = new TreeSet<>(settings.keySet());
        unknown.removeAll(ALWAYS_THERE);
        if (unknown.isEmpty() == false) {
            throw new IllegalArgumentException("analyzer [" + name + "] has the settings " + unknown
                    + "; this local node has [english] without settings only");
        }
        return new PreBuiltAnalyzerProvider(name, AnalyzerScope.INDICES, new EnglishAnalyzer());
    }
}
